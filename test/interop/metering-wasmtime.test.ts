import { readFileSync, readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { meter } from '../../provider/metering/index.ts';
import { caseOf, runCase } from '../../provider/metering/testing/cases.ts';
import type { Case } from '../../provider/metering/testing/cases.ts';
import { hardCases } from '../../provider/metering/testing/hard-cases.ts';
import { randomModule } from '../../provider/metering/testing/random-module.ts';
import { handlers, recordedHandler } from './metering/handlers.ts';
import { FUEL_MAX } from './metering/record.ts';
import { installWasmtime, runInWasmtime } from './metering/wasmtime.ts';

/**
 * Goal: what a provider on V8 bills, a consumer with another engine can check. Method: the metered module runs in wasmtime
 * with the same calls and the same answers of the host; results, fuel left and every byte of memory must be equal, however
 * the run ends.
 */
let python = '';
let missing = '';

beforeAll(async () => {
  try {
    python = await installWasmtime();
  } catch (error) {
    missing = `wasmtime cannot be installed here: ${(error as Error).message.split('\n')[0]}`;
  }
});

async function expectSame(cases: readonly Case[]): Promise<Map<string, number>> {
  const ours = cases.map(runCase);
  const theirs = await runInWasmtime(python, cases);
  const kinds = new Map<string, number>();
  for (const [index, outcomes] of ours.entries()) {
    expect(theirs[index], cases[index]?.name).toEqual(outcomes);
    for (const { kind } of outcomes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  expect(kinds.get('engineStack')).toBeUndefined();
  return kinds;
}

describe('the same fuel and memory in wasmtime', () => {
  test.for(handlers)('for the handler %s', async (name, { skip }) => {
    skip(missing !== '', missing);
    const { outcome, recorded } = await recordedHandler(name);
    const [ours] = runCase(recorded);
    expect(ours).toMatchObject({ kind: 'completed', fuelLeft: String(FUEL_MAX - outcome.fuel) });
    await expectSame([recorded]);
  });

  test('for every kernel and program of the bench', async ({ skip }) => {
    skip(missing !== '', missing);
    const folder = new URL('../../bench/metering/wasm/', import.meta.url);
    const cases = readdirSync(folder)
      .filter((name) => name.endsWith('.wasm'))
      .map((name) => {
        const metered = meter(Uint8Array.from(readFileSync(new URL(name, folder))));
        const one = caseOf(name, metered, 1n << 40n);
        const calls = one.calls.filter((call) => call.export === 'run');
        return { ...one, calls: calls.map((call) => ({ ...call, args: [['i32', '1'] as [string, string]] })) };
      });
    const kinds = await expectSame(cases);
    expect(kinds).toEqual(new Map([['completed', cases.length]]));
  });

  test('for 150 random modules, with fuel in parameters and without', async ({ skip }) => {
    skip(missing !== '', missing);
    const cases = Array.from({ length: 300 }, (_, index) => {
      const seed = index >> 1;
      const metered = meter(randomModule(seed).bytes, { fuelInParameters: index % 2 === 0 });
      return caseOf(`random ${seed}`, metered, 100_000n, seed);
    });
    const kinds = await expectSame(cases);
    for (const kind of ['completed', 'outOfFuel', 'trapped', 'tooDeep']) expect(kinds.get(kind)).toBeGreaterThan(50);
  });

  test('for NaNs, and for recursions of all kinds', async ({ skip }) => {
    skip(missing !== '', missing);
    await expectSame(hardCases());
  });
});

import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { meter } from '../../provider/metering/index.ts';
import { caseOf, runCase } from '../../provider/metering/testing/cases.ts';
import type { Case } from '../../provider/metering/testing/cases.ts';
import { randomModule } from '../../provider/metering/testing/random-module.ts';
import { hardCases } from '../../provider/metering/testing/hard-cases.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import type { CallRequest } from '../../sdk/client/index.ts';
import { buildModule } from '../build-module.ts';
import { recordHandler } from './metering/record.ts';
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
}, 240_000);

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

const text = new TextEncoder().encode('the more the merrier, said the merrier more\n'.repeat(200));
const textCid = rawCid(text);
const files = new Map([[Buffer.from(textCid.bytes).toString('hex'), text]]);

/** What handlers are asked; any other handler is asked for `/`. */
const requests: Record<string, CallRequest> = {
  hello: { path: '/?name=Ada' },
  mandelbrot: { path: '/?width=160&height=100' },
  wordcount: { path: `/?cid=${textCid.toString()}` },
};
const handlers = readdirSync(new URL('../../handlers', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe('the same fuel and memory in wasmtime', () => {
  test.for(handlers)('for the handler %s', async (name, { skip }) => {
    skip(missing !== '', missing);
    const request = { timeMs: 1_700_000_000_000, seed: new Uint8Array(32).fill(7), ...requests[name] };
    const { outcome, recorded } = recordHandler(name, await buildModule(name), request, files);
    const [ours] = runCase(recorded);
    expect(ours).toMatchObject({ kind: 'completed', fuelLeft: String(BigInt(recorded.fuel) - BigInt(outcome.fuel)) });
    await expectSame([recorded]);
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

import { beforeAll, expect, test } from 'vitest';
import { meter } from '../../provider/metering/index.ts';
import { caseOf } from '../../provider/metering/testing/cases.ts';
import { callsOf, compareWithReference } from '../../provider/metering/testing/compare.ts';
import { inEveryTier } from '../../provider/metering/testing/tiers.ts';
import { installWasmtime, runInWasmtime } from '../interop/metering/wasmtime.ts';
import { smithModules } from './smith.ts';

/**
 * Goal: the meter is right about modules that its authors did not think of. Method: modules of wasm-smith, which uses all
 * accepted features, overlong numbers and dead code among them; each must be accepted, cost what the naive reference
 * counts, behave and trap as unmetered, and leave the same fuel and memory in all engines.
 */
const modulesMax = 10_000;
const chunk = 1_000;
let missing = '';

beforeAll(async () => {
  try {
    await smithModules(0, 1);
  } catch (error) {
    missing = `wasm-smith cannot be built here: ${(error as Error).message.split('\n')[0]}`;
  }
}, 600_000);

test(`${modulesMax} modules of an independent generator cost and behave exactly`, async ({ skip }) => {
  skip(missing !== '', missing);
  const tally = { completed: 0, stopped: 0, trapped: 0, tooDeep: 0 };
  for (let first = 0; first < modulesMax; first += chunk) {
    for (const [index, bytes] of (await smithModules(first, chunk)).entries()) {
      const seed = first + index;
      // Only odd seeds have floats, and so NaNs.
      const canonicalNans = seed % 2 === 1;
      const calls = callsOf(bytes, seed);
      for (const fuelInParameters of [true, false]) {
        const outcome = compareWithReference(bytes, calls, 100_000n, { fuelInParameters, canonicalNans });
        expect(outcome.differences, `seed ${seed}, fuel in parameters: ${fuelInParameters}`).toEqual([]);
        for (const kind of Object.keys(tally) as (keyof typeof tally)[]) tally[kind] += outcome[kind];
      }
    }
  }
  // Otherwise the modules would say too little.
  expect(tally.completed).toBeGreaterThan(modulesMax);
  expect(tally.stopped).toBeGreaterThan(modulesMax / 10);
  expect(tally.trapped).toBeGreaterThan(modulesMax / 10);
});

test(`${modulesMax} modules of an independent generator end the same in every tier and in wasmtime`, async ({
  skip,
}) => {
  skip(missing !== '', missing);
  const python = await installWasmtime().catch(() => undefined);
  skip(python === undefined, 'wasmtime cannot be installed here');
  for (let first = 0; first < modulesMax; first += chunk) {
    const modules = await smithModules(first, chunk);
    const cases = modules.map((bytes, index) => {
      const metered = meter(bytes, { fuelInParameters: index % 4 < 2 });
      return caseOf(`seed ${first + index}`, metered, 100_000n, index);
    });
    const [liftoff, ...others] = [...(await inEveryTier(cases)), await runInWasmtime(python as string, cases)];
    for (const [index, { name }] of cases.entries()) {
      for (const other of others) expect(other[index], name).toEqual(liftoff?.[index]);
      expect(liftoff?.[index]?.some(({ kind }) => kind === 'engineStack')).toBe(false);
    }
  }
});

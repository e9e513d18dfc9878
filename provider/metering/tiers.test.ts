import { expect, test } from 'vitest';
import { meter } from './index.ts';
import { caseOf } from './testing/cases.ts';
import type { Case, CaseOutcome } from './testing/cases.ts';
import { hardCases } from './testing/hard-cases.ts';
import { randomModule } from './testing/random-module.ts';
import { inEveryTier } from './testing/tiers.ts';

/**
 * Goal: a job's result and fuel do not depend on whether the engine got round to optimising it. Method: the same calls in
 * processes with one tier each; results, fuel left and memory must be equal, however the run ends.
 */
const modulesMax = Math.min(2_000, Number(process.env['METERING_MODULES'] ?? 150));

async function expectSame(cases: readonly Case[]): Promise<CaseOutcome[]> {
  const [liftoff, turbofan, usual] = await inEveryTier(cases);
  for (const [index, { name }] of cases.entries()) {
    expect(turbofan?.[index], name).toEqual(liftoff?.[index]);
    expect(usual?.[index], name).toEqual(liftoff?.[index]);
  }
  return (usual ?? []).flat();
}

test('a handler shows the same bits of floats, and gets as deep, in every tier of the engine', async () => {
  const outcomes = await expectSame(hardCases());
  const kinds = outcomes.map(({ kind }) => kind);
  expect(kinds.slice(0, 2)).toEqual(['completed', 'completed']);
  // Ended by the meter's count and never by the engine's own stack, whatever the frames hold.
  expect(new Set(kinds.slice(2))).toEqual(new Set(['tooDeep']));
});

test('random modules end the same, with the same fuel and memory, in every tier of the engine', async () => {
  for (let first = 0; first < modulesMax; first += 1_000) {
    const cases = Array.from({ length: Math.min(1_000, modulesMax - first) }, (_, index) => {
      const seed = first + index;
      const metered = meter(randomModule(seed).bytes, { fuelInParameters: seed % 2 === 0 });
      return caseOf(`random ${seed}`, metered, 100_000n, seed);
    });
    const outcomes = await expectSame(cases);
    expect(outcomes.some(({ kind }) => kind === 'engineStack')).toBe(false);
  }
});

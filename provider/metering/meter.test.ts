import { expect, test } from 'vitest';
import { callsOf, compareWithReference } from './testing/compare.ts';
import { randomModule } from './testing/random-module.ts';

const modulesMax = Number(process.env['METERING_MODULES'] ?? 150);

test.each([true, false])(
  'random modules cost exactly what the naive reference counts, and behave and trap as before (fuel in parameters: %s)',
  (fuelInParameters) => {
    let completed = 0;
    let trapped = 0;
    for (let seed = 0; seed < modulesMax; seed++) {
      const { bytes } = randomModule(seed);
      const outcome = compareWithReference(bytes, callsOf(bytes, seed), 100_000n, { fuelInParameters });
      expect(outcome.differences, `seed ${seed}`).toEqual([]);
      completed += outcome.completed;
      trapped += outcome.trapped;
    }
    expect(completed).toBeGreaterThan(modulesMax);
    expect(trapped).toBeGreaterThan(modulesMax / 10);
  },
);

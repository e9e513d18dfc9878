import { expect, test } from 'vitest';
import { argument, compareWithReference } from './testing/compare.ts';
import { randomModule } from './testing/random-module.ts';

const modulesMax = Number(process.env['METERING_MODULES'] ?? 150);

test.each([true, false])(
  'random modules cost exactly what the naive reference counts, and behave as before (fuel in parameters: %s)',
  (fuelInParameters) => {
    let completed = 0;
    for (let seed = 0; seed < modulesMax; seed++) {
      const { bytes, exports } = randomModule(seed);
      const calls = exports.map(({ name, params }) => ({
        name,
        args: params.map((type, index) => argument(type, index * 3 + (seed % 5))),
      }));
      const outcome = compareWithReference(bytes, calls, 100_000n, { fuelInParameters });
      expect(outcome.differences, `seed ${seed}`).toEqual([]);
      completed += outcome.completed;
    }
    expect(completed).toBeGreaterThan(modulesMax);
  },
);

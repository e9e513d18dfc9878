import { expect, test } from 'vitest';
import { fuzz } from './fuzz/fuzz.ts';

/**
 * Goal: no bytes whatever make the meter throw anything but its own errors, accept what the engine does not, call invalid
 * what the engine accepts, write what the engine refuses, or miscount. Method: mutants of valid modules, first those that
 * reach new code of the meter as parents, then blindly; one in twenty of those that are metered runs against the naive
 * reference. FUZZ_CASES makes more of them.
 */
const cases = Number(process.env['FUZZ_CASES'] ?? 1_000_000);

test(`${cases} mutants are refused with a reason or metered right`, async () => {
  const { fates, covered, parents } = await fuzz({ seed: 1, guided: 10_000, blind: cases });
  // Otherwise the mutants would be too dead, or too alive, to say anything.
  for (const count of Object.values(fates)) expect(count).toBeGreaterThan(0);
  expect(fates.metered).toBeGreaterThan(cases / 50);
  expect(covered).toBeGreaterThan(200);
  expect(parents).toBeGreaterThan(100);
  // Nothing of a module is kept once it is refused.
  expect(process.memoryUsage().rss).toBeLessThan(2 ** 31);
});

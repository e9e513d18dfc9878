import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { meterVersion } from './index.ts';
import { answerTo, makeVectors } from './testing/vectors.ts';
import type { Vectors } from './testing/vectors.ts';

const published = JSON.parse(
  readFileSync(new URL('../../docs/metering-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

test('the published test vectors are those of this meter: else run `node scripts/metering-vectors.ts`', () => {
  expect(published.meterVersion).toBe(meterVersion);
  expect(makeVectors()).toEqual(published);
});

test.each(published.vectors)('vector: $about', ({ wasm, args, fuelMax, ...expected }) => {
  const bytes = Uint8Array.from(Buffer.from(wasm, 'base64'));
  const { outcome, fuel, results, code } = expected;
  const answer = { outcome, ...(fuel === undefined ? {} : { fuel, results }), ...(code === undefined ? {} : { code }) };
  expect(answerTo(bytes, args, fuelMax)).toEqual(answer);
  if (fuel === undefined) return;
  expect(answerTo(bytes, args, fuel)).toEqual(answer);
  expect(answerTo(bytes, args, fuel - 1)).toEqual({ outcome: 'outOfFuel' });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pad, paddedSize, unpad } from './padding.ts';

const content = fc.uint8Array({ maxLength: 5_000 });

it('what was padded comes back', () => {
  fc.assert(fc.property(content, (bytes) => Buffer.compare(unpad(pad(bytes)), bytes) === 0));
});

it('padding costs at most 12 percent above the smallest size, and leaves few sizes', () => {
  const sizes = new Set<number>();
  for (let bytes = 1; bytes < 300_000; bytes += 7) {
    const size = paddedSize(bytes);
    expect(size).toBeGreaterThanOrEqual(bytes);
    expect(size).toBeLessThanOrEqual(Math.max(1024, bytes * 1.12));
    sizes.add(size);
  }
  expect(sizes.size).toBeLessThan(200);
});

it('what is not padded like that is refused', () => {
  fc.assert(
    fc.property(content, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, bits) => {
      const padded = pad(bytes);
      // Behind the length, which has one or two bytes, and the content.
      const start = bytes.length + 2;
      if (start >= padded.length) return;
      padded[start + (at % (padded.length - start))]! ^= bits;
      expect(() => unpad(padded)).toThrow();
    }),
  );
  for (const bytes of [new Uint8Array(), new Uint8Array(1023), pad(new Uint8Array(5)).subarray(1)]) {
    expect(() => unpad(bytes)).toThrow();
  }
});

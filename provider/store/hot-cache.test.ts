import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HotCache } from './hot-cache.ts';

test('never holds more than its bytes, and never gives another value than was put last', () => {
  const steps = fc.array(
    fc.record({ key: fc.constantFrom(...'abcdefgh'), bytes: fc.nat(40), how: fc.constantFrom('get', 'set', 'delete') }),
  );
  fc.assert(
    fc.property(steps, (all) => {
      const cache = new HotCache<number>(100);
      const last = new Map<string, { value: number; bytes: number }>();
      for (const [value, { key, bytes, how }] of all.entries()) {
        if (how === 'get') expect([undefined, last.get(key)?.value]).toContain(cache.get(key));
        else if (how === 'delete') {
          cache.delete(key);
          last.delete(key);
        } else {
          cache.set(key, value, bytes);
          last.set(key, { value, bytes });
        }
      }
      // Looking at all of them carries over at most half.
      const held = [...last].filter(([key, { value }]) => cache.get(key) === value);
      expect(held.reduce((sum, [, { bytes }]) => sum + bytes, 0)).toBeLessThanOrEqual(150);
    }),
  );
});

test('keeps what is used while more passes by than it holds', () => {
  const cache = new HotCache<number>(100);
  cache.set('used', 1, 10);
  for (let i = 0; i < 1_000; i++) {
    cache.set(`passing ${i}`, i, 10);
    expect(cache.get('used')).toBe(1);
  }
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Tally } from './tally.ts';

test('counts what was added and not removed, of each key and of all', () => {
  const key = fc.constantFrom('a', 'b', '__proto__');
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean())), (steps) => {
      const tally = new Tally();
      const there: string[] = [];
      for (const [name, isAdded] of steps) {
        if (isAdded) {
          tally.add(name);
          there.push(name);
        } else if (there.includes(name)) {
          tally.remove(name);
          there.splice(there.indexOf(name), 1);
        }
        expect(tally.total).toBe(there.length);
        for (const any of ['a', 'b', '__proto__']) {
          expect(tally.of(any)).toBe(there.filter((other) => other === any).length);
        }
      }
    }),
  );
});

import { expect, test } from 'vitest';
import { LiveList } from './live-list.ts';

test('what is under way is there in its order, whatever ends first', () => {
  const list = new LiveList<string>();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => list.add(name));
  expect(list.values()).toEqual(['a', 'b', 'c', 'd']);
  list.remove(b!);
  expect(list.values()).toEqual(['a', 'c', 'd']);
  list.remove(d!);
  list.remove(a!);
  expect(list.values()).toEqual(['c']);
  list.add('e');
  expect([list.values(), list.size]).toEqual([['c', 'e'], 2]);
  list.remove(c!);
  expect(list.values()).toEqual(['e']);
});

test('what has ended holds nothing that came after it', () => {
  const list = new LiveList<string>();
  const first = list.add('first');
  list.add('second');
  list.remove(first);
  expect(first).toEqual({ value: 'first', previous: undefined, next: undefined });
});

test('an empty list can be used again', () => {
  const list = new LiveList<number>();
  list.remove(list.add(1));
  expect([list.values(), list.size]).toEqual([[], 0]);
  list.add(2);
  expect([list.values(), list.size]).toEqual([[2], 1]);
});

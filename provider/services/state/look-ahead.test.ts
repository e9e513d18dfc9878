import { expect, test } from 'vitest';
import { LookAhead } from './look-ahead.ts';

/** @returns runs ahead that did not count, of so many turns */
function wasted(lookAhead: LookAhead, turns: number, holds: (turn: number) => boolean): number {
  let count = 0;
  for (let turn = 0; turn < turns; turn++) {
    const held = lookAhead.width === 1 ? undefined : holds(turn);
    if (held === false) count += 1;
    lookAhead.turn(held);
  }
  return count;
}

test('updates of a counter are hardly ever run twice', () => {
  expect(wasted(new LookAhead(), 10_000, () => false)).toBeLessThan(150);
});

test('updates that seldom meet go on together', () => {
  const lookAhead = new LookAhead();
  wasted(lookAhead, 1_000, (turn) => turn % 5 !== 0);
  expect(lookAhead.width).toBe(8);
});

test('what was a counter and is none any more goes on together again', () => {
  const lookAhead = new LookAhead();
  wasted(lookAhead, 10_000, () => false);
  wasted(lookAhead, 1_100, () => true);
  expect(lookAhead.width).toBe(8);
});

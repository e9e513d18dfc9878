import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueue } from './fair-queue.ts';

interface Item {
  consumer: string;
  priority: number;
  id: number;
}

let lastId = 0;
const item = (consumer: string, priority = 0): Item => ({ consumer, priority, id: (lastId += 1) });

/** Takes everything; each item costs what `cost` says. */
function drain(queue: FairQueue<Item>, cost: (item: Item) => number): Item[] {
  const order: Item[] = [];
  for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
    const taken = queue.shift(cost(next));
    expect(taken).toBe(next);
    order.push(next);
  }
  return order;
}

describe('consumers that wait', () => {
  test('get equal work, not equal numbers of jobs', () => {
    const queue = new FairQueue<Item>(1);
    for (let i = 0; i < 300; i++) queue.push(item('long'));
    for (let i = 0; i < 300; i++) queue.push(item('short'));
    const order = drain(queue, ({ consumer }) => (consumer === 'long' ? 10 : 1));
    const shortDone = order.findLastIndex(({ consumer }) => consumer === 'short');
    const longBefore = order.slice(0, shortDone).filter(({ consumer }) => consumer === 'long').length;
    expect(longBefore).toBeGreaterThanOrEqual(29);
    expect(longBefore).toBeLessThanOrEqual(31);
  });

  test('are not held up by one that asked earlier for more', () => {
    const queue = new FairQueue<Item>(1);
    for (let i = 0; i < 100; i++) queue.push(item('a'));
    for (let i = 0; i < 50; i++) queue.shift(1);
    queue.push(item('b'));
    expect(queue.shift(1)?.consumer === 'b' || queue.shift(1)?.consumer === 'b').toBe(true);
  });

  test('cannot save up turns by staying away', () => {
    const queue = new FairQueue<Item>(1);
    queue.push(item('b'));
    queue.shift(1);
    for (let i = 0; i < 200; i++) queue.push(item('a'));
    for (let i = 0; i < 100; i++) queue.shift(1);
    for (let i = 0; i < 100; i++) queue.push(item('b'));
    const next = drain(queue, () => 1).slice(0, 20);
    const ofB = next.filter(({ consumer }) => consumer === 'b').length;
    expect(ofB).toBeGreaterThanOrEqual(9);
    expect(ofB).toBeLessThanOrEqual(11);
  });

  test('pay afterwards for work that took longer than expected', () => {
    const queue = new FairQueue<Item>(1);
    for (let i = 0; i < 20; i++) {
      queue.push(item('a'));
      queue.push(item('b'));
    }
    const first = queue.shift(1);
    if (first !== undefined) queue.correct(first, 10);
    const next = Array.from({ length: 10 }, () => queue.shift(1));
    expect(next.every((each) => each?.consumer !== first?.consumer)).toBe(true);
  });
});

test('higher priorities go first, and the lowest never starves', () => {
  const queue = new FairQueue<Item>(3);
  for (let i = 0; i < 100; i++) queue.push(item('x', 2));
  for (let i = 0; i < 5; i++) queue.push(item('y', 0));
  const order = drain(queue, () => 1).map(({ priority }) => priority);
  expect(order.slice(0, 15)).toEqual(Array.from({ length: 15 }, () => 2));
  expect(order.slice(0, 100).filter((priority) => priority === 0)).toHaveLength(5);
});

test('whatever is pushed, put back, removed and taken, nothing is lost, doubled or out of its line', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), consumer: fc.constantFrom('a', 'b', 'c'), priority: fc.nat(2) }),
    fc.record({ kind: fc.constant('shift' as const), cost: fc.nat(5) }),
    fc.record({ kind: fc.constant('putBack' as const), cost: fc.nat(5) }),
    fc.record({ kind: fc.constant('remove' as const), index: fc.nat(20) }),
    fc.record({
      kind: fc.constant('correct' as const),
      consumer: fc.constantFrom('a', 'b'),
      by: fc.integer({ min: -5, max: 5 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const queue = new FairQueue<Item>(3);
      const lines = new Map<string, Item[]>();
      const lineOf = ({ consumer, priority }: Item): Item[] => {
        const key = `${consumer}${priority}`;
        const line = lines.get(key) ?? [];
        lines.set(key, line);
        return line;
      };
      const take = (cost: number): Item | undefined => {
        const taken = queue.shift(cost);
        if (taken !== undefined) expect(lineOf(taken).shift()).toBe(taken);
        return taken;
      };
      for (const each of actions) {
        if (each.kind === 'push') {
          const added = item(each.consumer, each.priority);
          queue.push(added);
          lineOf(added).push(added);
        } else if (each.kind === 'shift') {
          take(each.cost);
        } else if (each.kind === 'putBack') {
          const taken = take(each.cost);
          if (taken === undefined) continue;
          queue.unshift(taken);
          lineOf(taken).unshift(taken);
        } else if (each.kind === 'remove') {
          const all = [...lines.values()].flat();
          const victim = all[each.index % Math.max(1, all.length)];
          if (victim === undefined) continue;
          expect(queue.remove(victim)).toBe(true);
          expect(queue.remove(victim)).toBe(false);
          lineOf(victim).splice(lineOf(victim).indexOf(victim), 1);
        } else {
          queue.correct({ consumer: each.consumer, priority: 0 }, each.by);
        }
        const size = [...lines.values()].reduce((sum, line) => sum + line.length, 0);
        expect(queue.size).toBe(size);
        expect(queue.peek() === undefined).toBe(size === 0);
      }
      while (take(1) !== undefined);
      expect([...lines.values()].flat()).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { marksFor, surplus, type Candidate } from './surplus.ts';

const NOW = 1_000_000;
const GRACE = 20_000;
const marks = marksFor(100, GRACE);

let names = 0;
const one = (change: Partial<Candidate<string>> = {}): Candidate<string> => {
  const name = `peer ${++names}`;
  return {
    connection: name,
    peer: name,
    direction: 'inbound',
    openedMs: NOW - 60_000,
    kept: false,
    busy: false,
    score: 0,
    received: 0,
    ...change,
  };
};
const many = (count: number, change: (i: number) => Partial<Candidate<string>> = () => ({})): Candidate<string>[] =>
  Array.from({ length: count }, (_, i) => one(change(i)));
const young = { openedMs: NOW - 1000 };

const candidate = fc
  .record({
    peer: fc.integer({ min: 0, max: 150 }).map(String),
    direction: fc.constantFrom('inbound' as const, 'outbound' as const),
    openedMs: fc.integer({ min: NOW - 60_000, max: NOW }),
    kept: fc.boolean(),
    busy: fc.boolean(),
    score: fc.nat(25),
    received: fc.oneof(fc.constant(0), fc.nat(1000)),
  })
  .map((change) => one(change));

test('nobody is disconnected while there are places, and a crowd makes room down to the low-water mark', () => {
  expect(marks).toMatchObject({ high: 90, low: 80 });
  expect(surplus(many(90), marks, NOW)).toEqual([]);
  expect(surplus(many(91), marks, NOW)).toHaveLength(11);
});

test('of idle strangers those go first that were least useful, then the oldest, those that came before those we called', () => {
  const all = [
    ...many(79),
    ...many(10, (i) => ({ score: i + 1 })),
    one({ direction: 'outbound', openedMs: 0 }),
    one({ openedMs: 1 }),
  ];
  const closed = surplus(all, marks, NOW);
  expect(closed).toHaveLength(11);
  expect(closed[0]).toBe(all.at(-1)?.connection);
  expect(closed).not.toContain(all.at(-2)?.connection);
});

test('a newcomer has its time, even in a crowd of newcomers', () => {
  const crowd = many(90, (i) => ({ openedMs: NOW - 1000 + i }));
  const newcomer = one({ openedMs: NOW });
  expect(surplus([newcomer, ...crowd], marks, NOW)).toEqual(crowd.slice(0, 11).map(({ connection }) => connection));
});

test('a newcomer gets a place among peers that all gave us something, at the cost of the least of them', () => {
  const traders = many(90, (i) => ({ received: 100 + i }));
  const newcomer = one(young);
  expect(surplus([...traders, newcomer], marks, NOW)).toEqual([traders[0]?.connection]);
});

test('strangers cannot keep more than half of the places by keeping us busy', () => {
  const traders = many(40, () => ({ received: 1 }));
  const busy = many(60, () => ({ busy: true }));
  const closed = surplus([...traders, ...busy], marks, NOW);
  expect(closed).toHaveLength(10);
  for (const { connection } of traders) expect(closed).not.toContain(connection);
});

test('one peer with many connections loses those beyond four before anybody else loses one', () => {
  const greedy = many(20, (i) => ({ peer: 'greedy', received: 1e9, busy: true, openedMs: i }));
  const closed = surplus([...many(71), ...greedy], marks, NOW);
  expect(closed).toHaveLength(11);
  for (const connection of closed) expect(greedy.slice(4).map((it) => it.connection)).toContain(connection);
});

test('whatever connections there are: friends, peers at work that traded and the last newcomers stay, and traders outlast idle strangers', () => {
  fc.assert(
    fc.property(fc.array(candidate, { minLength: 80, maxLength: 130 }), (all) => {
      const closed = new Set(surplus(all, marks, NOW));
      const left = all.filter(({ connection }) => !closed.has(connection));
      if (all.length <= marks.high) expect(closed.size).toBe(0);
      expect(left.length).toBeGreaterThanOrEqual(Math.min(all.length, marks.low));
      const counts = new Map<string, number>();
      for (const { peer } of all) counts.set(peer, (counts.get(peer) ?? 0) + 1);
      const single = all.filter(({ peer }) => (counts.get(peer) ?? 0) <= 4);
      for (const { connection, kept, busy, received } of single) {
        if (kept || (busy && received > 0)) expect(closed.has(connection)).toBe(false);
      }
      const isTrader = ({ kept, busy, received }: Candidate<string>): boolean => !kept && !busy && received > 0;
      if (single.some((it) => isTrader(it) && closed.has(it.connection))) {
        expect(left.length).toBeGreaterThanOrEqual(marks.high);
        const idle = left.filter(({ kept, busy, received }) => !kept && !busy && received === 0);
        expect(idle.length).toBeLessThanOrEqual(marks.newcomersMax);
      }
    }),
  );
});

test('marks leave a place free however few places there are', () => {
  for (let max = 2; max < 50; max++) {
    const { high, low } = marksFor(max, GRACE);
    expect(high).toBeLessThan(max);
    expect(high).toBeGreaterThanOrEqual(1);
    expect(low).toBeLessThanOrEqual(high);
  }
});

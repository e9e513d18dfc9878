import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PeerWants } from './peer-wants.ts';

const MAX = 5;
const cidOf = (id: number): Uint8Array => Uint8Array.of(1, 0x55, 0x12, 32, id, ...new Uint8Array(31));
const entryOf = (id: number, cancel = false) => ({
  cid: cidOf(id),
  priority: 1,
  cancel,
  wantHave: false,
  sendDontHave: true,
});

test('the list stays within its limit and its counters right, whatever a peer sends', () => {
  const commands = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('want' as const), id: fc.nat(12) }),
      fc.record({ kind: fc.constant('cancel' as const), id: fc.nat(12) }),
      fc.record({ kind: fc.constant('miss' as const), id: fc.nat(12) }),
      fc.record({ kind: fc.constant('load' as const), id: fc.nat(12) }),
      fc.record({ kind: fc.constant('clear' as const), id: fc.nat(12) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(commands, (list) => {
      let held = 0;
      const wants = new PeerWants(MAX, {
        mayAdd: () => true,
        onAdded: () => void held++,
        onGone: () => void held--,
      });
      for (const { kind, id } of list) {
        const present = [...wants.all()].find(({ cidBytes }) => cidBytes[4] === id);
        if (kind === 'want') wants.apply(entryOf(id));
        else if (kind === 'cancel') wants.apply(entryOf(id, true));
        else if (kind === 'clear') wants.clear();
        else if (present !== undefined) wants.setState(present, kind === 'miss' ? 'missing' : 'loading');
        expect(wants.size).toBe(held);
        expect(wants.size).toBeLessThanOrEqual(MAX);
        const waiting = [...wants.all()].filter(({ state }) => state === 'missing' || state === 'refused');
        expect(new Set(wants.waiting())).toEqual(new Set(waiting));
      }
    }),
  );
});

test('when the list is full, the oldest want that we cannot serve gives way, and no other', () => {
  const wants = new PeerWants(2, { mayAdd: () => true, onAdded: () => undefined, onGone: () => undefined });
  const { want: servable } = wants.apply(entryOf(1));
  const { want: missing } = wants.apply(entryOf(2));
  expect(wants.apply(entryOf(3)).change).toBe('ignored');
  wants.setState(missing!, 'missing');
  expect(wants.apply(entryOf(3)).change).toBe('added');
  expect(wants.holds(servable!)).toBe(true);
  expect(wants.holds(missing!)).toBe(false);
});

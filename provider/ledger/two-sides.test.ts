import type { PeerId } from '@libp2p/interface';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';

import { rawCid } from '../../sdk/protocol/index.ts';
import { openDatabase, type Database } from '../store/sqlite/index.ts';
import { createScoreLedger, type PersistentScoreLedger } from './ledger.ts';
import { reconcile, type Reconciliation } from './reconcile.ts';
import { stateAccount } from './statement.ts';
import { ManualClock, testPeers } from './testing.ts';
import type { LedgerRecord, Reservation } from './types.ts';

/**
 * Goal: two ledgers of one account never differ by more than what was on the wire when it broke and what a crash may
 * forget, and reconciliation names exactly that. Method: two real ledgers with a wire between them that delivers late,
 * breaks with frames under way, and crashes of either side between any two events.
 */

let peers: [PeerId, PeerId];

beforeAll(async () => {
  peers = (await testPeers(2)) as [PeerId, PeerId];
});

type Event =
  | { kind: 'work' | 'block'; from: 0 | 1; bytes: number }
  | { kind: 'deliver' | 'show'; to: 0 | 1; which: number }
  | { kind: 'give up'; from: 0 | 1; spent: number }
  | { kind: 'disconnect' }
  | { kind: 'crash' | 'flush' | 'restart'; side: 0 | 1 };

const side = fc.constantFrom(0 as const, 1 as const);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('work' as const, 'block' as const),
      from: side,
      bytes: fc.nat(1_000),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('deliver' as const), to: side, which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('show' as const), to: side, which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('give up' as const), from: side, spent: fc.nat(1_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disconnect' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'flush' as const, 'restart' as const), side }),
  },
);

type Frame = { bytes: number; record: LedgerRecord | undefined };

interface Blocks {
  sent: number;
  recv: number;
}

/** One peer: its ledger, and what the model knows of it. */
class Side {
  readonly database: Database = openDatabase(':memory:');
  readonly clock = new ManualClock();
  ledger: PersistentScoreLedger;
  /** Frames on their way to this side. */
  inbox: Frame[] = [];
  open: Reservation[] = [];
  blocks: Blocks = { sent: 0, recv: 0 };
  durable: Blocks = { sent: 0, recv: 0 };
  /** Receipts that the other side has made. */
  shown = new Map<string, Frame>();
  has = new Set<string>();

  constructor() {
    this.ledger = this.#open();
  }

  reopen(): void {
    this.clock.restart();
    this.open = [];
    this.ledger = this.#open();
  }

  async receive({ bytes, record }: Frame, from: PeerId): Promise<void> {
    if (record === undefined) {
      this.ledger.addToReceivedBytes(from, bytes);
      this.blocks.recv += bytes;
    } else {
      expect(await this.ledger.receiveWork(from, bytes, record)).toBe(!this.has.has(record.cid));
      this.has.add(record.cid);
    }
  }

  missing(): Frame[] {
    return [...this.shown].filter(([cid]) => !this.has.has(cid)).map(([, frame]) => frame);
  }

  close(): void {
    this.ledger.stop();
    this.database.close();
  }

  #open(): PersistentScoreLedger {
    const line = 2 ** 40;
    const policy = { newcomerLineBytes: line, limitBytesMax: line, strangerPoolBytes: line };
    return createScoreLedger({ database: this.database, clock: this.clock, policy });
  }
}

class World {
  readonly sides = [new Side(), new Side()] as const;
  #documents = 0;
  crashed = false;

  async apply(event: Event): Promise<void> {
    switch (event.kind) {
      case 'work': {
        const { from, bytes } = event;
        const content = new TextEncoder().encode(`receipt ${this.#documents++}`);
        const record = { cid: rawCid(content).toString(), bytes: content };
        const { ledger } = this.sides[from];
        await ledger.settle(ledger.reserve(peers[1 - from]!, bytes, 'work'), bytes, record);
        const other = this.sides[1 - from]!;
        other.shown.set(record.cid, { bytes, record });
        other.inbox.push({ bytes, record });
        return;
      }
      case 'block': {
        const { from, bytes } = event;
        const { ledger, blocks, open } = this.sides[from];
        const reservation = ledger.reserve(peers[1 - from]!, bytes, 'blocks');
        // Half of them are still being sent when the next event comes.
        if (bytes % 2 === 0) {
          open.push(reservation);
          return;
        }
        await ledger.settle(reservation, bytes);
        blocks.sent += bytes;
        this.sides[1 - from]!.inbox.push({ bytes, record: undefined });
        return;
      }
      case 'deliver': {
        const to = this.sides[event.to];
        const [frame] = to.inbox.splice(event.which % Math.max(1, to.inbox.length), 1);
        if (frame !== undefined) await to.receive(frame, peers[1 - event.to]!);
        return;
      }
      case 'show': {
        const to = this.sides[event.to];
        const all = [...to.shown.values()];
        const frame = all[event.which % Math.max(1, all.length)];
        if (frame !== undefined) await to.receive(frame, peers[1 - event.to]!);
        return;
      }
      case 'give up': {
        const { open, ledger } = this.sides[event.from];
        const reservation = open.pop();
        if (reservation !== undefined) ledger.abandon(reservation, Math.min(event.spent, reservation.amount));
        return;
      }
      case 'disconnect':
        this.#disconnect();
        return;
      case 'flush':
      case 'restart': {
        const one = this.sides[event.side];
        await one.ledger.flush();
        one.durable = { ...one.blocks };
        if (event.kind === 'flush') return;
        this.#disconnect();
        one.ledger.stop();
        one.reopen();
        return;
      }
      case 'crash': {
        const one = this.sides[event.side];
        this.crashed = true;
        // The one that stays gives its open deliveries up; the other has no more chance to.
        one.open = [];
        this.#disconnect();
        one.blocks = { ...one.durable };
        one.reopen();
        return;
      }
    }
  }

  check(): void {
    const [one, two] = this.sides;
    const { agrees, differences }: Reconciliation = reconcile(
      stateAccount(one.ledger, peers[0], peers[1], 1),
      stateAccount(two.ledger, peers[1], peers[0], 2),
    );
    for (const [total, giver, receiver] of [
      ['blocks we sent', one, two],
      ['blocks we received', two, one],
    ] as const) {
      const bytes = giver.blocks.sent - receiver.blocks.recv;
      const cause = bytes > 0 ? 'BLOCKS_NOT_COUNTED' : 'BLOCKS_NOT_BOOKED';
      const expected = bytes === 0 ? [] : [{ total, cause, bytes, receipts: [] }];
      expect(differences.filter((difference) => difference.total === total)).toEqual(expected);
      // Only a giver that crashed can know of less than was received.
      if (!this.crashed) expect(bytes).toBeGreaterThanOrEqual(0);
    }
    for (const [total, receiver] of [
      ['work we did', two],
      ['work done for us', one],
    ] as const) {
      const lost = receiver.missing();
      const found = differences.filter((difference) => difference.total === total);
      expect(found.map(({ cause, bytes }) => ({ cause, bytes }))).toEqual(
        lost.length === 0
          ? []
          : [{ cause: 'RECEIPT_NOT_RECEIVED', bytes: lost.reduce((sum, { bytes }) => sum + bytes, 0) }],
      );
      expect(found.flatMap(({ receipts }) => receipts.map(String)).toSorted()).toEqual(
        lost.map(({ record }) => record!.cid).toSorted(),
      );
    }
    expect(agrees).toBe(differences.length === 0);
  }

  /** Every receipt that was lost is shown again: what is left are blocks. */
  async settleUp(): Promise<void> {
    for (const [i, one] of this.sides.entries()) {
      for (const frame of one.missing()) await one.receive(frame, peers[1 - i]!);
    }
    const [one, two] = this.sides;
    const [ofOne, ofTwo] = [one.ledger.getAccount(peers[1]), two.ledger.getAccount(peers[0])];
    expect([ofOne.workSent, ofOne.workRecv]).toEqual([ofTwo.workRecv, ofTwo.workSent]);
    this.check();
  }

  close(): void {
    for (const one of this.sides) one.close();
  }

  /** What was on the wire is gone. Whoever was still sending counts what went out as ghost debt. */
  #disconnect(): void {
    for (const one of this.sides) {
      one.inbox = [];
      for (const reservation of one.open) one.ledger.abandon(reservation, reservation.amount);
      one.open = [];
    }
  }
}

test('both sides agree, up to what was lost on the wire or forgotten in a crash, after any interleaving', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (story) => {
      const world = new World();
      try {
        for (const one of story) {
          await world.apply(one);
          world.check();
        }
        await world.settleUp();
      } finally {
        world.close();
      }
    }),
    { numRuns: 200 },
  );
});

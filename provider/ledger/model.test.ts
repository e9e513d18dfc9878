import fc from 'fast-check';
import type { PeerId } from '@libp2p/interface';
import { beforeAll, expect, test } from 'vitest';

import { openDatabase, type Database } from '../store/sqlite/index.ts';
import { OverCreditError } from './errors.ts';
import { createScoreLedger, type PersistentScoreLedger } from './ledger.ts';
import { ManualClock, testPeers, testRecord } from './testing.ts';
import type { Reservation } from './types.ts';

/**
 * Goal: no order of events makes an account drift from what happened. Method: random events on a real ledger, with
 * restarts and crashes, beside a model that only adds up.
 */

const PEERS = 3;
const LINE = 10_000;
let peers: PeerId[];

beforeAll(async () => {
  peers = await testPeers(PEERS);
});

type Event =
  | { kind: 'reserve'; peer: number; bytes: number }
  | { kind: 'settle'; which: number; share: number; document: boolean }
  | { kind: 'abandon'; which: number; share: number }
  | { kind: 'blocksRecv'; peer: number; bytes: number }
  | { kind: 'receiveWork'; peer: number; bytes: number; cid: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'jump'; ms: number }
  | { kind: 'flush' | 'restart' | 'crash' };

const peer = fc.nat(PEERS - 1);
const bytes = fc.nat(LINE);
const events: fc.Arbitrary<Event>[] = [
  fc.record({ kind: fc.constant('reserve' as const), peer, bytes }),
  fc.record({ kind: fc.constant('reserve' as const), peer, bytes: fc.nat(1_000) }),
  fc.record({ kind: fc.constant('settle' as const), which: fc.nat(20), share: fc.nat(100), document: fc.boolean() }),
  fc.record({ kind: fc.constant('abandon' as const), which: fc.nat(20), share: fc.nat(100) }),
  fc.record({ kind: fc.constant('blocksRecv' as const), peer, bytes }),
  fc.record({ kind: fc.constant('receiveWork' as const), peer, bytes, cid: fc.nat(5) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(5_000) }),
  fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -1_000_000, max: 1_000_000 }) }),
  fc.record({ kind: fc.constantFrom('flush' as const, 'restart' as const, 'crash' as const) }),
];

interface Sums {
  blocksSent: number;
  blocksRecv: number;
  workSent: number;
  workRecv: number;
  ghost: number;
}

const noSums = (): Sums[] =>
  Array.from({ length: PEERS }, () => ({ blocksSent: 0, blocksRecv: 0, workSent: 0, workRecv: 0, ghost: 0 }));

class World {
  readonly clock = new ManualClock();
  readonly database: Database = openDatabase(':memory:');
  ledger: PersistentScoreLedger;
  reservations: Reservation[] = [];
  counted = new Set<string>();
  documents = 0;
  /** Everything that happened, and of that what a crash would leave. */
  sums = noSums();
  durable = noSums();

  constructor() {
    this.ledger = this.#open();
  }

  #open(): PersistentScoreLedger {
    return createScoreLedger({
      database: this.database,
      clock: this.clock,
      accountsCachedMax: 2,
      policy: {
        newcomerLineBytes: LINE,
        refreshBytesPerSecond: 300,
        growthPercent: 50,
        strangerPoolBytes: 2 * LINE,
        strangerPoolRefreshBytesPerSecond: 100,
        downtimeMsMax: 10_000,
      },
    });
  }

  async apply(event: Event): Promise<void> {
    switch (event.kind) {
      case 'reserve':
        try {
          this.reservations.push(
            this.ledger.reserve(peers[event.peer]!, event.bytes, event.bytes % 2 ? 'work' : 'blocks'),
          );
        } catch (error) {
          if (!(error instanceof OverCreditError)) throw error;
        }
        return;
      case 'settle': {
        const reservation = this.#take(event.which);
        if (reservation === undefined) return;
        const actual = Math.floor((reservation.amount * event.share) / 100);
        const name = reservation.kind === 'work' ? 'workSent' : 'blocksSent';
        const sums = [this.#sumsOf(this.sums, reservation)];
        if (event.document) sums.push(this.#sumsOf(this.durable, reservation));
        for (const sum of sums) sum[name] += actual;
        await this.ledger.settle(reservation, actual, event.document ? testRecord(`s${this.documents++}`) : undefined);
        return;
      }
      case 'abandon': {
        const reservation = this.#take(event.which);
        if (reservation === undefined) return;
        const spent = Math.floor((reservation.amount * event.share) / 100);
        this.#sumsOf(this.sums, reservation).ghost += spent;
        this.ledger.abandon(reservation, spent);
        return;
      }
      case 'blocksRecv':
        this.sums[event.peer]!.blocksRecv += event.bytes;
        this.ledger.addToReceivedBytes(peers[event.peer]!, event.bytes);
        return;
      case 'receiveWork': {
        const record = testRecord(`r${event.cid}`);
        const isNew = !this.counted.has(record.cid);
        this.counted.add(record.cid);
        if (isNew) for (const sums of [this.sums, this.durable]) sums[event.peer]!.workRecv += event.bytes;
        expect(await this.ledger.receiveWork(peers[event.peer]!, event.bytes, record)).toBe(isNew);
        return;
      }
      case 'pass':
        this.clock.pass(event.ms);
        return;
      case 'jump':
        this.clock.jump(event.ms);
        return;
      case 'flush':
        await this.ledger.flush();
        this.durable = structuredClone(this.sums);
        return;
      case 'restart':
        this.ledger.stop();
        this.durable = structuredClone(this.sums);
        this.#reopen();
        return;
      case 'crash':
        // Nobody stops the ledger: whatever it did not write is gone.
        this.sums = structuredClone(this.durable);
        this.#reopen();
        return;
    }
  }

  check(): void {
    for (const [i, peer] of peers.entries()) {
      const account = this.ledger.getAccount(peer);
      expect(account).toMatchObject(this.sums[i]!);
      const { blocksSent, workSent, blocksRecv, workRecv, ghost } = this.sums[i]!;
      expect(account.sent).toBe(blocksSent + workSent);
      expect(account.balance).toBe(blocksSent + workSent - blocksRecv - workRecv + ghost - account.forgiven);
      expect(account.reserved + account.balance).toBeLessThanOrEqual(account.limit);
      expect(account.forgiven).toBeGreaterThanOrEqual(0);
      expect(account.forgiven).toBeLessThanOrEqual(account.sent + ghost);
      const open = this.reservations.filter((reservation) => reservation.peer === peer);
      expect(account.reserved).toBe(open.reduce((sum, { amount }) => sum + amount, 0));
    }
  }

  /** Receipts and history tell the same as the accounts. */
  async checkBooks(): Promise<void> {
    await this.ledger.flush();
    for (const peer of peers) {
      const { workSent, workRecv, blocksSent, blocksRecv, ghost, forgiven } = this.ledger.getAccount(peer);
      const history = [...this.ledger.history({ peer: peer.toString() })];
      const total = (name: 'workSent' | 'workRecv' | 'blocksSent' | 'blocksRecv' | 'ghost' | 'forgiven') =>
        history.reduce((sum, row) => sum + row[name], 0);
      expect({ workSent: total('workSent'), workRecv: total('workRecv'), blocksSent: total('blocksSent') }).toEqual({
        workSent,
        workRecv,
        blocksSent,
      });
      expect({ blocksRecv: total('blocksRecv'), ghost: total('ghost') }).toEqual({ blocksRecv, ghost });
      // Time goes on between the checkpoint and the question.
      expect(total('forgiven')).toBeLessThanOrEqual(forgiven);
      const received = [...this.ledger.receipts.list({ peer: peer.toString(), direction: 'received' })];
      expect(received.reduce((sum, { priceBytes }) => sum + priceBytes, 0)).toBe(workRecv);
    }
  }

  close(): void {
    this.ledger.stop();
    this.database.close();
  }

  #reopen(): void {
    this.clock.restart();
    this.reservations = [];
    this.ledger = this.#open();
  }

  #take(which: number): Reservation | undefined {
    return this.reservations.splice(which % Math.max(1, this.reservations.length), 1)[0];
  }

  #sumsOf(sums: Sums[], reservation: Reservation): Sums {
    return sums[peers.indexOf(reservation.peer)]!;
  }
}

test('sums never drift and no limit is passed, over any order of work, blocks, clocks, restarts and crashes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...events), { maxLength: 60 }), async (story) => {
      const world = new World();
      try {
        for (const event of story) {
          await world.apply(event);
          world.check();
        }
        await world.checkBooks();
      } finally {
        world.close();
      }
    }),
    { numRuns: 300 },
  );
});

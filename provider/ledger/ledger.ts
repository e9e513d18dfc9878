import type { PeerId } from '@libp2p/interface';

import { migrate, type Database } from '../store/sqlite/index.ts';
import { toAccount, toReceipt, type AccountEntry } from './account.ts';
import { checkAmount, checkTotal } from './amounts.ts';
import { Book } from './book.ts';
import { AccountCache } from './cache.ts';
import { LedgerTime, systemClock, type LedgerClock } from './clock.ts';
import { recvOf } from './credit.ts';
import { LedgerError } from './errors.ts';
import { GroupCommit, type CommitTarget } from './group-commit.ts';
import { inlineTarget } from './inline-target.ts';
import { createTerms, makePolicy, type CreditPolicy } from './policy.ts';
import { StrangerPool } from './pool.ts';
import { AccountReader } from './reader.ts';
import { LedgerReservation } from './reservation.ts';
import { RoomWaiters } from './room-waiters.ts';
import { ledgerSchema } from './schema.ts';
import { Scores } from './score.ts';
import { savePolicy } from './saved-policy.ts';
import { readTail } from './tail.ts';
import type { Account, CreditZone, Kind, LedgerReceipt, LedgerRecord, Reservation, ScoreLedger } from './types.ts';
import { threadTarget } from './thread-target.ts';
import { Unwritten, UNWRITTEN_BYTES_MAX } from './unwritten.ts';
import { LedgerWriter } from './writer.ts';

export interface ScoreLedgerInit {
  /** A database of the ledger's own: another writer in the same file would wait for every commit. */
  database: Database;
  policy?: Partial<CreditPolicy>;
  clock?: LedgerClock;
  /** Accounts kept in memory. The rest is on disk. */
  accountsCachedMax?: number;
}

const ACCOUNTS_CACHED_MAX = 10_000;
/** Without space on the disk, work goes on until this much would be forgotten by a crash. */
const BEHIND_BYTES_MAX = 4 * UNWRITTEN_BYTES_MAX;
const PENDING_MAX = 65_536;
const DONE = Promise.resolve();

/**
 * The default score ledger: accounts in memory in front of SQLite.
 *
 * A settlement with a receipt is appended to the receipts, together with all others of the same turn of the event loop,
 * and counts when that transaction is on the disk; until then it stays reserved. Changes without a receipt (blocks) count
 * at once and are written within `UNWRITTEN_MS_MAX` or `UNWRITTEN_BYTES_MAX`, whichever comes first: that much a crash can
 * forget. Checkpoints write the accounts themselves; after a crash, receipts since the last checkpoint are replayed.
 */
export class PersistentScoreLedger implements ScoreLedger {
  readonly policy: CreditPolicy;
  readonly #time: LedgerTime;
  readonly #pool: StrangerPool;
  readonly #book: Book;
  readonly #reader: AccountReader;
  readonly #cache: AccountCache;
  readonly #unwritten: Unwritten;
  readonly #commit: GroupCommit;
  readonly #scores: Scores;
  readonly #waiters: RoomWaiters;
  #failure: unknown;
  #lost: LedgerError | undefined;
  #stopped = false;

  constructor(init: ScoreLedgerInit) {
    const { database } = init;
    this.policy = makePolicy(init.policy);
    migrate(database.sqlite, ledgerSchema, database.path);
    this.#reader = new AccountReader(database, createTerms(this.policy));
    const state = this.#reader.state();
    const tail = [...readTail(database)];
    const ledgerMs = Math.max(state.ledgerMs, tail.at(-1)?.ledgerMs ?? 0);
    const stored = state.wallMs === 0 ? undefined : { ledgerMs, wallMs: state.wallMs };
    this.#time = new LedgerTime(init.clock ?? systemClock, stored, this.policy.downtimeMsMax);
    this.#pool = new StrangerPool(this.policy, { used: state.poolUsed, refreshedMs: state.poolMs });
    this.#unwritten = new Unwritten(() => this.#checkpoint());
    this.#book = new Book(this.policy, this.#pool, (entry) => this.#unwritten.add(entry));
    this.#cache = new AccountCache(
      (peer) => this.#reader.load(peer, this.#time.nowMs()),
      init.accountsCachedMax ?? ACCOUNTS_CACHED_MAX,
    );
    this.#commit = new GroupCommit(this.#openTarget(database), {
      unfolded: tail.length,
      wallMs: () => this.#time.wallMs(),
      takeCheckpoint: () => this.#takeCheckpoint(),
    });
    this.#scores = new Scores((peer) => this.getReceipt(peer));
    this.#waiters = new RoomWaiters((peer, bytes) =>
      this.#book.waitMs(this.#cache.get(peer), bytes, this.#time.nowMs()),
    );
    for (const row of tail) this.#book.exchange(this.#cache.get(row.peer), row.entry, row.price, row.ledgerMs, true);
    savePolicy(database, this.policy);
  }

  getReceipt(peer: PeerId): LedgerReceipt | undefined {
    const entry = this.#cache.get(peer.toString());
    return entry.known ? toReceipt(entry) : undefined;
  }

  addToSentBytes(peer: PeerId, bytes: number, kind: Kind = 'blocks'): void {
    checkAmount(bytes, 'The bytes sent');
    this.#exchange(this.#cache.get(peer.toString()), kind === 'blocks' ? 'blocksSent' : 'workSent', bytes);
  }

  addToReceivedBytes(peer: PeerId, bytes: number, kind: Kind = 'blocks'): void {
    checkAmount(bytes, 'The bytes received');
    this.#exchange(this.#cache.get(peer.toString()), kind === 'blocks' ? 'blocksRecv' : 'workRecv', bytes);
  }

  peerConnected(peer: PeerId): void {
    this.#scores.connected(peer);
  }

  peerDisconnected(peer: PeerId): void {
    this.#scores.disconnected(peer);
  }

  start(scorePeer: (peer: PeerId, score: number) => void): void {
    this.#scores.start(scorePeer);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#scores.stop();
    this.#waiters.close();
    this.#commit.close();
    this.#unwritten.close();
    this.#stopped = true;
  }

  reserve(peer: PeerId, worstCase: number, kind: Kind): Reservation {
    this.#checkRunning();
    checkAmount(worstCase, 'The worst-case price');
    const entry = this.#cache.get(peer.toString());
    this.#book.reserve(entry, worstCase, this.#time.nowMs());
    return new LedgerReservation(peer, kind, worstCase, entry, this);
  }

  settle(reservation: Reservation, actual: number, record?: LedgerRecord): Promise<void> {
    const entry = LedgerReservation.entryOf(reservation, this);
    const { amount, kind } = reservation;
    checkPart(actual, amount, 'The price');
    if (this.#stopped) throw stopped();
    LedgerReservation.close(reservation);
    const total = kind === 'blocks' ? 'blocksSent' : 'workSent';
    if (record === undefined) {
      this.#release(entry, amount);
      if (actual > 0) this.#exchange(entry, total, actual);
      return DONE;
    }
    // The price itself stays reserved until it is durable, so a failed commit has nothing to take back.
    this.#book.release(entry, amount - actual);
    return new Promise((resolve, reject) => {
      this.#append(entry, total, actual, record, (error, counted) => {
        this.#release(entry, actual);
        if (error !== undefined) {
          reject(error as Error);
          return;
        }
        if (counted) this.#book.exchange(entry, total, actual, this.#time.nowMs(), true);
        resolve();
      });
    });
  }

  abandon(reservation: Reservation, spent: number): void {
    const entry = LedgerReservation.entryOf(reservation, this);
    const { amount } = reservation;
    checkPart(spent, amount, 'What was spent');
    LedgerReservation.close(reservation);
    this.#release(entry, amount);
    if (spent === 0 || this.#stopped) return;
    this.#book.haunt(entry, spent, this.#time.nowMs());
    this.#unwritten.count(spent);
  }

  receiveWork(peer: PeerId, bytes: number, record: LedgerRecord): Promise<boolean> {
    this.#checkRunning();
    checkAmount(bytes, 'The price of received work');
    const entry = this.#cache.get(peer.toString());
    checkTotal(recvOf(entry) + entry.incoming, bytes, '"recv"');
    entry.incoming += bytes;
    entry.open += 1;
    return new Promise((resolve, reject) => {
      this.#append(entry, 'workRecv', bytes, record, (error, counted) => {
        entry.incoming -= bytes;
        entry.open -= 1;
        if (error !== undefined) {
          reject(error as Error);
          return;
        }
        if (counted) this.#book.exchange(entry, 'workRecv', bytes, this.#time.nowMs(), true);
        this.#waiters.changed(entry.peer);
        resolve(counted);
      });
    });
  }

  getAccount(peer: PeerId): Account {
    return this.#view(this.#cache.get(peer.toString()));
  }

  *accounts(): Iterable<Account> {
    const fromMemory = new Set<string>();
    for (const stored of this.#reader.all()) {
      const cached = this.#cache.peek(stored.peer);
      if (cached !== undefined) fromMemory.add(stored.peer);
      yield this.#view(cached ?? stored);
    }
    for (const entry of this.#cache.values()) {
      if (entry.known && !fromMemory.has(entry.peer)) yield this.#view(entry);
    }
  }

  onRoom(peer: PeerId, bytes: number, callback: () => void): () => void {
    return this.#waiters.add(peer.toString(), bytes, callback);
  }

  zone(peer: PeerId): CreditZone {
    return this.#book.zone(this.#cache.get(peer.toString()), this.#time.nowMs());
  }

  /** Writes everything that is not on the disk yet. @throws StoreError */
  flush(): Promise<void> {
    if (this.#stopped) return DONE;
    return new Promise((resolve, reject) => {
      this.#commit.checkpoint((error) => (error === undefined ? resolve() : reject(error as Error)));
    });
  }

  #openTarget(database: Database): CommitTarget {
    if (database.path === ':memory:') return inlineTarget(new LedgerWriter(database));
    return threadTarget(database.path, (error) => {
      this.#lost = error;
    });
  }

  #view(entry: AccountEntry): Account {
    return toAccount(entry, this.policy, this.#book.forgivable(entry, this.#time.nowMs()));
  }

  #exchange(entry: AccountEntry, total: 'blocksSent' | 'blocksRecv' | 'workSent' | 'workRecv', bytes: number): void {
    if (this.#stopped) return;
    this.#book.exchange(entry, total, bytes, this.#time.nowMs(), false);
    this.#unwritten.count(bytes);
    this.#waiters.changed(entry.peer);
  }

  #release(entry: AccountEntry, bytes: number): void {
    this.#book.release(entry, bytes);
    entry.open -= 1;
    this.#waiters.changed(entry.peer);
  }

  #append(
    entry: AccountEntry,
    total: 'blocksSent' | 'workSent' | 'workRecv',
    price: number,
    record: LedgerRecord,
    done: (error: unknown, counted: boolean) => void,
  ): void {
    this.#commit.append({ peer: entry.peer, entry: total, price, ledgerMs: this.#time.nowMs(), record, done });
  }

  #checkpoint(): void {
    if (!this.#stopped) this.#commit.checkpoint();
  }

  #takeCheckpoint() {
    const { accounts, done } = this.#unwritten.take();
    const nowMs = this.#time.nowMs();
    const wallMs = this.#time.wallMs();
    const state = { ledgerMs: nowMs, wallMs, poolUsed: this.#pool.used, poolMs: this.#pool.refreshedMs };
    return {
      checkpoint: { accounts, state, period: wallMs - (wallMs % 60_000) },
      done: (error: unknown) => {
        this.#failure = error;
        done(error);
      },
    };
  }

  #checkRunning(): void {
    if (this.#stopped) throw stopped();
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#unwritten.bytes < BEHIND_BYTES_MAX && this.#commit.pendingCount < PENDING_MAX) return;
    throw new LedgerError('LEDGER_BEHIND', 'The ledger cannot write as fast as it has to. Try again in a moment.', {
      retryable: true,
      cause: this.#failure,
    });
  }
}

export function createScoreLedger(init: ScoreLedgerInit): PersistentScoreLedger {
  return new PersistentScoreLedger(init);
}

function checkPart(bytes: number, amount: number, what: string): void {
  checkAmount(bytes, what);
  if (bytes <= amount) return;
  throw new LedgerError('INVALID_AMOUNT', `${what} of ${bytes} bytes is over the ${amount} bytes reserved for it.`);
}

function stopped(): LedgerError {
  return new LedgerError('LEDGER_STOPPED', 'The score ledger was stopped. Open the store again to go on.');
}

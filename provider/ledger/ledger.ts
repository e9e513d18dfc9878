import type { PeerId } from '@libp2p/interface';

import { migrate, type Database } from '../store/sqlite/index.ts';
import { toAccount, toReceipt, type AccountEntry } from './account.ts';
import { checkAmount, checkPart, checkTotal } from './amounts.ts';
import { Book } from './book.ts';
import type { Keep } from './batch.ts';
import { AccountCache } from './cache.ts';
import { systemClock, type LedgerTime } from './clock.ts';
import { recvOf } from './credit.ts';
import { LedgerError, repeated, stopped } from './errors.ts';
import { forgetStrangers } from './forget-strangers.ts';
import { GroupCommit } from './group-commit.ts';
import { makePolicy, type CreditPolicy } from './policy.ts';
import type { StrangerPool } from './pool.ts';
import type { AccountReader } from './reader.ts';
import { recover } from './recover.ts';
import { LedgerReservation } from './reservation.ts';
import { RoomWaiters } from './room-waiters.ts';
import { ledgerSchema } from './schema.ts';
import { Scores } from './score.ts';
import { openTarget } from './open-target.ts';
import { accountsCachedDefault, keepDefault, type ScoreLedgerInit } from './options.ts';
import { readHistory, type HistoryFilter, type HistoryRow } from './read-history.ts';
import { PRUNED_AT_ONCE_MAX } from './receipt-pruner.ts';
import { Receipts } from './receipts.ts';
import { savePolicy } from './saved-policy.ts';
import type { Account, CreditZone, Kind, LedgerReceipt, LedgerRecord, Reservation, ScoreLedger } from './types.ts';
import { Unwritten, UNWRITTEN_BYTES_MAX } from './unwritten.ts';

/** A disk that is slow or full stops nobody until a crash would forget this much. */
const BEHIND_BYTES_MAX = 64 * UNWRITTEN_BYTES_MAX;
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
  /** Documents of settled receipts; those of the last turn may still be on their way to the disk. */
  readonly receipts: Receipts;
  #keep: Keep;
  readonly #database: Database;
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
    migrate(database, ledgerSchema);
    savePolicy(database, this.policy);
    this.#database = database;
    this.#keep = { ...keepDefault, ...init.keep };
    forgetStrangers(database, this.#keep.accountsMax, this.policy.refreshBytesPerSecond);
    this.receipts = new Receipts(database);
    const { reader, time, pool, tail } = recover(database, this.policy, init.clock ?? systemClock);
    this.#reader = reader;
    this.#time = time;
    this.#pool = pool;
    this.#unwritten = new Unwritten(() => this.#checkpoint());
    this.#book = new Book(this.policy, this.#pool, (entry) => this.#unwritten.add(entry));
    this.#cache = new AccountCache(
      (peer) => this.#reader.load(peer, this.#time.nowMs()),
      init.accountsCachedMax ?? accountsCachedDefault,
    );
    this.#commit = new GroupCommit(
      openTarget(database, (error) => (this.#lost = error)),
      {
        unfolded: tail.length,
        unwrittenAccounts: () => this.#unwritten.accounts,
        wallMs: () => this.#time.wallMs(),
        takeCheckpoint: () => this.#takeCheckpoint(),
      },
    );
    this.#scores = new Scores((peer) => this.getReceipt(peer));
    this.#waiters = new RoomWaiters((peer, bytes) =>
      this.#book.waitMs(this.#cache.get(peer), bytes, this.#time.nowMs()),
    );
    for (const row of tail) this.#book.exchange(this.#cache.get(row.peer), row.entry, row.price, row.ledgerMs, true);
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
        if (counted) {
          this.#book.exchange(entry, total, actual, this.#time.nowMs(), true);
          resolve();
        } else {
          // The work was done all the same: a repeated receipt must neither count twice nor make work free.
          this.#haunt(entry, actual);
          reject(repeated(record.cid));
        }
      });
    });
  }

  abandon(reservation: Reservation, spent: number): void {
    const entry = LedgerReservation.entryOf(reservation, this);
    const { amount } = reservation;
    checkPart(spent, amount, 'What was spent');
    LedgerReservation.close(reservation);
    this.#release(entry, amount);
    if (!this.#stopped) this.#haunt(entry, spent);
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
  async flush(): Promise<void> {
    await this.#flush();
  }

  /**
   * From now on keeps at most this; resolves with the number of receipts removed now. Received receipts are remembered
   * without their documents.
   * @throws StoreError
   */
  async prune(keep: Partial<Keep>): Promise<number> {
    this.#keep = { ...this.#keep, ...keep };
    for (let total = 0; ;) {
      const pruned = await this.#flush();
      total += pruned;
      if (pruned < PRUNED_AT_ONCE_MAX) return total;
    }
  }

  /** What changed when, by account, as written by the last checkpoint; see `flush`. */
  history(filter?: HistoryFilter): Iterable<HistoryRow> {
    return readHistory(this.#database, filter);
  }

  #flush(): Promise<number> {
    if (this.#stopped) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#commit.checkpoint((error, { pruned }) => (error === undefined ? resolve(pruned) : reject(error as Error)));
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

  #haunt(entry: AccountEntry, bytes: number): void {
    this.#book.haunt(entry, bytes, this.#time.nowMs());
    this.#unwritten.count(bytes);
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
    this.#commit.append({
      peer: entry.peer,
      account: entry.row,
      entry: total,
      price,
      ledgerMs: this.#time.nowMs(),
      record,
      done,
    });
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
      checkpoint: { accounts, state, wallMs, keep: this.#keep },
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
    if (this.#failure !== undefined) throw this.#failure as Error;
    throw new LedgerError('LEDGER_BEHIND', 'The ledger cannot write as fast as it has to. Try again in a moment.', {
      retryable: true,
    });
  }
}

export function createScoreLedger(init: ScoreLedgerInit): PersistentScoreLedger {
  return new PersistentScoreLedger(init);
}

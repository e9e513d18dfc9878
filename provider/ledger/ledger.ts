import type { PeerId } from '@libp2p/interface';

import { migrate, type Database } from '../store/sqlite/index.ts';
import { toAccount, toReceipt, type AccountEntry } from './account.ts';
import { checkAmount, checkPart, checkTotal } from './amounts.ts';
import { Book } from './book.ts';
import type { Keep } from './batch.ts';
import { AccountCache } from './cache.ts';
import { systemClock, type LedgerTime } from './clock.ts';
import { recvOf } from './credit.ts';
import { repeated, stopped } from './errors.ts';
import { forgetStrangers } from './forget-strangers.ts';
import { checkOverride, makePolicy, type CreditPolicy, type PeerOverride, type PeerTerms } from './policy.ts';
import type { AccountReader } from './reader.ts';
import { Persistence } from './persistence.ts';
import { checkRecord } from './check-record.ts';
import { recover } from './recover.ts';
import { LedgerReservation } from './reservation.ts';
import { RoomWaiters } from './room-waiters.ts';
import { ledgerSchema } from './schema.ts';
import { Scores } from './score.ts';
import { accountsCachedDefault, keepDefault, type ScoreLedgerInit } from './options.ts';
import { readHistory, type HistoryFilter, type HistoryRow } from './read-history.ts';
import { Receipts } from './receipts.ts';
import { savePolicy } from './saved-policy.ts';
import type { Account, CreditZone, Kind, LedgerReceipt, LedgerRecord, Reservation, ScoreLedger } from './types.ts';

const DONE = Promise.resolve();

/**
 * The default score ledger: accounts in memory in front of SQLite.
 *
 * A settlement with a receipt counts when it is on the disk; until then it stays reserved. Changes without a receipt
 * count at once and are written a little later (see `Persistence`). After a crash, receipts since the last checkpoint
 * are replayed. docs/ledger.md has the formulas and what an attacker can gain.
 */
export class PersistentScoreLedger implements ScoreLedger {
  /** Documents of settled receipts; those of the last turn may still be on their way to the disk. */
  readonly receipts: Receipts;
  readonly #database: Database;
  readonly #time: LedgerTime;
  readonly #book: Book;
  readonly #reader: AccountReader;
  readonly #cache: AccountCache;
  readonly #persistence: Persistence;
  readonly #scores: Scores;
  readonly #terms: PeerTerms;
  #policy: CreditPolicy;
  readonly #waiters: RoomWaiters;

  constructor(init: ScoreLedgerInit) {
    const { database } = init;
    this.#policy = makePolicy(init.policy);
    migrate(database, ledgerSchema);
    savePolicy(database, this.policy);
    const keep = { ...keepDefault, ...init.keep };
    forgetStrangers(database, keep.accountsMax, this.policy.refreshBytesPerSecond);
    const { terms, reader, time, pool, tail, accounts } = recover(database, this.policy, init.clock ?? systemClock);
    this.#database = database;
    this.#terms = terms;
    this.receipts = new Receipts(database);
    this.#reader = reader;
    this.#time = time;
    this.#scores = new Scores(
      (peer) => this.getReceipt(peer),
      () => this.#persistence.scoresChanged(),
    );
    const scores = () => this.#scores.values();
    this.#persistence = new Persistence({ database, time, pool, keep, scores, unfolded: tail.length });
    this.#book = new Book(this.policy, pool, (entry) => this.#persistence.changed(entry));
    this.#cache = new AccountCache(
      (peer) => reader.load(peer, time.nowMs()),
      init.accountsCachedMax ?? accountsCachedDefault,
    );
    this.#waiters = new RoomWaiters((peer, bytes) =>
      this.#book.waitMs(this.#cache.get(peer), bytes, this.#time.nowMs()),
    );
    for (const entry of accounts.values()) this.#cache.put(entry);
    for (const row of tail) {
      this.#book.exchange(accounts.get(row.account)!, row.entry, row.price, row.ledgerMs, true);
    }
  }

  get policy(): CreditPolicy {
    return this.#policy;
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
    this.#scores.stop();
    this.#waiters.close();
    this.#persistence.close();
  }

  reserve(peer: PeerId, worstCase: number, kind: Kind): Reservation {
    this.#persistence.checkReady();
    checkAmount(worstCase, 'The worst-case price');
    const entry = this.#cache.get(peer.toString());
    this.#book.reserve(entry, worstCase, this.#time.nowMs());
    return new LedgerReservation(peer, kind, worstCase, entry, this);
  }

  settle(reservation: Reservation, actual: number, record?: LedgerRecord): Promise<void> {
    const entry = LedgerReservation.entryOf(reservation, this);
    const { amount, kind } = reservation;
    checkPart(actual, amount, 'The price');
    if (this.#persistence.closed) throw stopped();
    if (record !== undefined) checkRecord(record);
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
      this.#persistence.append(entry, total, actual, record, (error, counted) => {
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
    if (!this.#persistence.closed) this.#haunt(entry, spent);
  }

  receiveWork(peer: PeerId, bytes: number, record: LedgerRecord): Promise<boolean> {
    this.#persistence.checkReady();
    checkAmount(bytes, 'The price of received work');
    checkRecord(record);
    const entry = this.#cache.get(peer.toString());
    checkTotal(recvOf(entry) + entry.incoming, bytes, '"recv"');
    entry.incoming += bytes;
    entry.open += 1;
    return new Promise((resolve, reject) => {
      this.#persistence.append(entry, 'workRecv', bytes, record, (error, counted) => {
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
    // A copy: the cache may sweep while the caller looks at an account.
    for (const entry of [...this.#cache.values()]) {
      if (entry.known && !fromMemory.has(entry.peer)) yield this.#view(entry);
    }
  }

  onRoom(peer: PeerId, bytes: number, callback: () => void): () => void {
    return this.#waiters.add(peer.toString(), bytes, callback);
  }

  zone(peer: PeerId): CreditZone {
    return this.#book.zone(this.#cache.get(peer.toString()), this.#time.nowMs());
  }

  /**
   * Decides for one peer, from now on: blocks it, gives it another limit, or with undefined lets the general rules hold
   * again. Not remembered: whoever decides says so again to the next ledger, as `policy.overrides`.
   *
   * @throws LedgerError INVALID_POLICY
   */
  setOverride(peer: PeerId, override: PeerOverride | undefined): void {
    const name = peer.toString();
    if (override !== undefined) checkOverride(name, override);
    const { [name]: _replaced, ...others } = this.policy.overrides;
    this.#policy = { ...this.policy, overrides: override === undefined ? others : { ...others, [name]: override } };
    savePolicy(this.#database, this.policy);
    const terms = this.#terms.set(name, override);
    const entry = this.#cache.get(name);
    this.#book.changeTerms(entry, terms, this.#time.nowMs());
    this.#waiters.changed(name);
  }

  /** Writes everything that is not on the disk yet. @throws StoreError */
  async flush(): Promise<void> {
    await this.#persistence.flush();
  }

  /**
   * From now on keeps at most this; resolves with the number of receipts removed now. Received receipts are remembered
   * without their documents.
   * @throws StoreError
   */
  prune(keep: Partial<Keep>): Promise<number> {
    return this.#persistence.prune(keep);
  }

  /** What changed when, by account, as written by the last checkpoint; see `flush`. */
  history(filter?: HistoryFilter): Iterable<HistoryRow> {
    return readHistory(this.#database, filter);
  }

  #view(entry: AccountEntry): Account {
    return toAccount(entry, this.policy, this.#book.forgivable(entry, this.#time.nowMs()));
  }

  #exchange(entry: AccountEntry, total: 'blocksSent' | 'blocksRecv' | 'workSent' | 'workRecv', bytes: number): void {
    if (this.#persistence.closed) return;
    this.#book.exchange(entry, total, bytes, this.#time.nowMs(), false);
    this.#persistence.owe(bytes);
    this.#waiters.changed(entry.peer);
  }

  #haunt(entry: AccountEntry, bytes: number): void {
    this.#book.haunt(entry, bytes, this.#time.nowMs());
    this.#persistence.owe(bytes);
  }

  #release(entry: AccountEntry, bytes: number): void {
    this.#book.release(entry, bytes);
    entry.open -= 1;
    this.#waiters.changed(entry.peer);
  }
}

export function createScoreLedger(init: ScoreLedgerInit): PersistentScoreLedger {
  return new PersistentScoreLedger(init);
}

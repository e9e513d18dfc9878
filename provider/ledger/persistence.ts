import type { Database } from '../store/sqlite/index.ts';
import type { AccountEntry } from './account.ts';
import type { Checkpoint, Entry, Keep, PeerScore } from './batch.ts';
import type { LedgerTime } from './clock.ts';
import { LedgerError, stopped } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { openTarget } from './open-target.ts';
import type { StrangerPool } from './pool.ts';
import { PRUNED_AT_ONCE_MAX } from './receipt-pruner.ts';
import type { LedgerRecord } from './types.ts';
import { Unwritten, UNWRITTEN_BYTES_MAX } from './unwritten.ts';

/** A disk that is slow or full stops nobody until a crash would forget this much. */
const BEHIND_BYTES_MAX = 64 * UNWRITTEN_BYTES_MAX;
const PENDING_MAX = 65_536;

export interface PersistenceInit {
  database: Database;
  time: LedgerTime;
  pool: StrangerPool;
  keep: Keep;
  scores: () => PeerScore[];
  /** Receipts that the last process left unfolded. */
  unfolded: number;
}

/**
 * When what is written. A receipt is appended with all others of the same turn of the event loop. Changes without one
 * (blocks) are written within `UNWRITTEN_MS_MAX` or `UNWRITTEN_BYTES_MAX`, whichever comes first: that much a crash can
 * forget. Checkpoints write the accounts themselves.
 */
export class Persistence {
  readonly #time: LedgerTime;
  readonly #pool: StrangerPool;
  readonly #unwritten: Unwritten;
  readonly #commit: GroupCommit;
  readonly #scores: () => PeerScore[];
  #keep: Keep;
  /** Those that a killed process left are no longer true. */
  #scoresChanged = true;
  #failure: unknown;
  #lost: LedgerError | undefined;
  #closed = false;

  constructor({ database, time, pool, keep, scores, unfolded }: PersistenceInit) {
    this.#time = time;
    this.#pool = pool;
    this.#keep = keep;
    this.#scores = scores;
    this.#unwritten = new Unwritten(() => {
      if (!this.#closed) this.#commit.checkpoint();
    });
    const target = openTarget(database, (error) => {
      this.#lost = error;
    });
    this.#commit = new GroupCommit(target, {
      unfolded,
      unwrittenAccounts: () => this.#unwritten.accounts,
      wallMs: () => time.wallMs(),
      takeCheckpoint: () => this.#takeCheckpoint(),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws LedgerError or StoreError when new work must not begin */
  checkReady(): void {
    if (this.#closed) throw stopped();
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#unwritten.bytes < BEHIND_BYTES_MAX && this.#commit.pendingCount < PENDING_MAX) return;
    if (this.#failure !== undefined) throw this.#failure as Error;
    throw new LedgerError('LEDGER_BEHIND', 'The ledger cannot write as fast as it has to. Try again in a moment.', {
      retryable: true,
    });
  }

  /** The entry has something for the next checkpoint. */
  changed(entry: AccountEntry): void {
    this.#unwritten.add(entry);
  }

  /** Scores are advice: they travel with the next checkpoint, whenever that is. */
  scoresChanged(): void {
    this.#scoresChanged = true;
    if (!this.#closed) this.#unwritten.soonOrLater();
  }

  /** These bytes would be forgotten by a crash. */
  owe(bytes: number): void {
    this.#unwritten.count(bytes);
  }

  append(
    entry: AccountEntry,
    total: Entry,
    price: number,
    record: LedgerRecord,
    done: (error: unknown, counted: boolean) => void,
  ): void {
    const { peer, row: account } = entry;
    this.#commit.append({ peer, account, entry: total, price, ledgerMs: this.#time.nowMs(), record, done });
  }

  /** Resolves with the number of receipts that were pruned. @throws StoreError */
  flush(): Promise<number> {
    if (this.#closed) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#commit.checkpoint((error, { pruned }) => (error === undefined ? resolve(pruned) : reject(error as Error)));
    });
  }

  /** @throws StoreError */
  async prune(keep: Partial<Keep>): Promise<number> {
    this.#keep = { ...this.#keep, ...keep };
    let total = 0;
    let pruned: number;
    do {
      pruned = await this.flush();
      total += pruned;
    } while (pruned >= PRUNED_AT_ONCE_MAX);
    return total;
  }

  /** Commits everything before it returns. */
  close(): void {
    if (this.#closed) return;
    this.#commit.close();
    this.#unwritten.close();
    this.#closed = true;
  }

  #takeCheckpoint(): { checkpoint: Checkpoint; done: (error: unknown) => void } {
    const { accounts, done } = this.#unwritten.take();
    const ledgerMs = this.#time.nowMs();
    const wallMs = this.#time.wallMs();
    const state = { ledgerMs, wallMs, poolUsed: this.#pool.used, poolMs: this.#pool.refreshedMs };
    const scores = this.#scoresChanged ? this.#scores() : undefined;
    this.#scoresChanged = false;
    return {
      checkpoint: { accounts, state, wallMs, keep: this.#keep, scores },
      done: (error) => {
        if (error !== undefined && scores !== undefined) this.#scoresChanged = true;
        this.#failure = error;
        done(error);
      },
    };
  }
}

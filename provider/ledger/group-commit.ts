import type { Batch, Checkpoint, Committed, Entry, ReceiptColumns } from './batch.ts';
import { ENTRIES } from './batch.ts';
import { stopped } from './errors.ts';
import type { LedgerRecord } from './types.ts';

type Done = (error: unknown, committed: Committed) => void;

/** Where batches become durable: on this thread or on another. */
export interface CommitTarget {
  submit(batch: Batch, done: Done): void;
  /** Returns when every submitted batch is done, without giving the event loop a turn. */
  drain(): void;
  close(): void;
}

export interface PendingReceipt {
  peer: string;
  account: number;
  entry: Entry;
  price: number;
  ledgerMs: number;
  record: LedgerRecord;
  done: (error: unknown, counted: boolean) => void;
}

export interface GroupCommitInit {
  /** Receipts that the last process left unfolded. */
  unfolded: number;
  unwrittenAccounts(): number;
  wallMs(): number;
  takeCheckpoint(): { checkpoint: Checkpoint; done: (error: unknown) => void };
}

/** Receipts that one checkpoint folds into the accounts; also what a restart has to replay. */
const UNFOLDED_MAX = 32_768;
/** Few accounts make folding cheap, so it comes earlier and delays the next commit less. */
const UNFOLDED_MIN = 8_192;
const UNFOLDED_PER_ACCOUNT = 4;

/**
 * Group commit: everything that is settled in one turn of the event loop, or while another commit is under way, becomes
 * one transaction. Under load the batches grow by themselves.
 */
export class GroupCommit {
  readonly #target: CommitTarget;
  readonly #init: GroupCommitInit;
  #pending: PendingReceipt[] = [];
  #checkpointWaiters: Done[] = [];
  #checkpointWanted = false;
  #unfolded = 0;
  #scheduled = false;
  #busy = false;
  #closed = false;

  constructor(target: CommitTarget, init: GroupCommitInit) {
    this.#target = target;
    this.#init = init;
    this.#unfolded = init.unfolded;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  append(receipt: PendingReceipt): void {
    if (this.#closed) throw stopped();
    this.#pending.push(receipt);
    this.#schedule();
  }

  /** Writes the accounts themselves with the next commit. */
  checkpoint(done?: Done): void {
    if (this.#closed) throw stopped();
    this.#checkpointWanted = true;
    if (done !== undefined) this.#checkpointWaiters.push(done);
    this.#schedule();
  }

  /** Commits everything before it returns, then lets go of the database. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#target.drain();
    this.#checkpointWanted = true;
    this.#commit();
    this.#target.drain();
    this.#target.close();
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#busy && !this.#closed) this.#commit();
    });
  }

  #commit(): void {
    const pending = this.#pending;
    const waiters = this.#checkpointWaiters;
    const unfoldedMax = Math.min(UNFOLDED_MAX, UNFOLDED_MIN + UNFOLDED_PER_ACCOUNT * this.#init.unwrittenAccounts());
    const folding = this.#checkpointWanted || this.#unfolded + pending.length > unfoldedMax;
    if (pending.length === 0 && !folding) return;
    this.#pending = [];
    this.#checkpointWaiters = [];
    this.#checkpointWanted = false;
    this.#busy = true;
    const taken = folding ? this.#init.takeCheckpoint() : undefined;
    const batch: Batch = {
      receipts: pending.length === 0 ? undefined : toColumns(pending, this.#init.wallMs()),
      checkpoint: taken?.checkpoint,
    };
    this.#target.submit(batch, (error, committed) => {
      this.#busy = false;
      if (error === undefined) this.#unfolded = folding ? 0 : this.#unfolded + pending.length;
      const repeated = new Set(committed.duplicates);
      for (const [i, receipt] of pending.entries()) receipt.done(error, !repeated.has(i));
      taken?.done(error);
      for (const waiter of waiters) waiter(error, committed);
      if (!this.#closed && (this.#pending.length > 0 || this.#checkpointWanted)) this.#commit();
    });
  }
}

function toColumns(pending: readonly PendingReceipt[], wallMs: number): ReceiptColumns {
  let length = 0;
  for (const { record } of pending) length += record.bytes.length;
  const columns: ReceiptColumns = {
    peers: [],
    accounts: [],
    cids: [],
    entries: [],
    prices: [],
    ledgerMs: [],
    ends: [],
    bytes: new Uint8Array(length),
    wallMs,
  };
  let end = 0;
  for (const { peer, account, entry, price, ledgerMs, record } of pending) {
    columns.bytes.set(record.bytes, end);
    end += record.bytes.length;
    columns.ends.push(end);
    columns.peers.push(peer);
    columns.accounts.push(account);
    columns.cids.push(record.cid);
    columns.entries.push(ENTRIES.indexOf(entry));
    columns.prices.push(price);
    columns.ledgerMs.push(ledgerMs);
  }
  return columns;
}

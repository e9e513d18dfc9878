import { transaction, type Database } from '../store/sqlite/index.ts';
import {
  ENTRIES,
  type AccountDelta,
  type Batch,
  type Checkpoint,
  type Committed,
  type PeerScore,
  type ReceiptColumns,
} from './batch.ts';
import { cidKey } from './cid-key.ts';
import { integer } from './columns.ts';
import type { Totals } from './credit.ts';
import { HistoryWriter } from './history.ts';
import { ReceiptPruner } from './receipt-pruner.ts';
import { readTail, Tail, type Unfolded } from './tail.ts';

/** Account ids kept at hand; a miss costs one indexed read. */
const ACCOUNT_IDS_MAX = 50_000;

/** What a checkpoint adds to one account. */
interface Change extends Totals {
  id: number;
  exchanged: number;
  refreshedMs: number | null;
  last: number | null;
}

/**
 * The only writer of the ledger's tables. Runs on the main thread for a database in memory and on a thread of its own
 * for a file, so that waiting for the disk delays nobody.
 */
export class LedgerWriter {
  readonly #database: Database;
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #history: HistoryWriter;
  readonly #pruner: ReceiptPruner;
  readonly #ids = new Map<string, number>();
  #tail: Tail;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = prepareStatements(database);
    this.#history = new HistoryWriter(database);
    this.#pruner = new ReceiptPruner(database);
    this.#tail = new Tail(integer(this.#sql.folded.get() ?? {}, 'folded'));
    for (const row of readTail(database)) {
      this.#tail.lastId = row.id - 1;
      this.#tail.add(row.account, row.entry, row.cid, row.price);
    }
  }

  /**
   * All or nothing: when it throws, database and writer stand where they stood before.
   * @throws StoreError STORE_FULL and others
   */
  commit(batch: Batch): Committed {
    const added = new Tail(this.#tail.lastId);
    const newPeers: string[] = [];
    let duplicates: number[] = [];
    let pruned = 0;
    try {
      transaction(this.#database, () => {
        if (batch.receipts !== undefined) duplicates = this.#append(batch.receipts, added, newPeers);
        if (batch.checkpoint !== undefined) pruned = this.#fold(batch.checkpoint, added, newPeers);
      });
    } catch (error) {
      for (const peer of newPeers) this.#ids.delete(peer);
      throw error;
    }
    if (batch.checkpoint === undefined) this.#tail.join(added);
    else this.#tail = new Tail(added.lastId);
    return { duplicates, pruned };
  }

  #append(receipts: ReceiptColumns, added: Tail, newPeers: string[]): number[] {
    const duplicates: number[] = [];
    let start = 0;
    for (const [i, cid] of receipts.cids.entries()) {
      const end = receipts.ends[i]!;
      if (this.#isCounted(cid, added)) {
        duplicates.push(i);
      } else {
        const account = receipts.accounts[i] || this.#accountId(receipts.peers[i]!, newPeers);
        const price = receipts.prices[i]!;
        const entry = receipts.entries[i]!;
        const previous = this.#lastReceipt(account, added);
        const id = added.add(account, ENTRIES[entry]!, cid, price);
        const bytes = receipts.bytes.subarray(start, end);
        this.#sql.receipt.run(id, cid, account, entry, price, receipts.ledgerMs[i]!, receipts.wallMs, bytes, previous);
      }
      start = end;
    }
    return duplicates;
  }

  #isCounted(cid: string, added: Tail): boolean {
    return added.cids.has(cid) || this.#tail.cids.has(cid) || this.#sql.counted.get(cidKey(cid), cid) !== undefined;
  }

  #lastReceipt(account: number, added: Tail): number {
    const last = added.accounts.get(account)?.last ?? this.#tail.accounts.get(account)?.last;
    return last ?? integer(this.#sql.lastReceipt.get(account) ?? {}, 'last_receipt');
  }

  #fold(checkpoint: Checkpoint, added: Tail, newPeers: string[]): number {
    const tail = new Tail(this.#tail.lastId);
    tail.join(this.#tail);
    tail.join(added);
    const deltas = new Map<number, AccountDelta>();
    for (const delta of checkpoint.accounts) deltas.set(delta.account || this.#accountId(delta.peer, newPeers), delta);
    // Everything in the order of its table, so that each page is visited once.
    const changes = Array.from(new Set([...deltas.keys(), ...tail.accounts.keys()]), (id) =>
      toChange(id, deltas.get(id), tail.accounts.get(id)),
    ).sort((a, b) => a.id - b.id);
    for (const change of changes) this.#writeAccount(change);
    for (const change of changes) this.#history.add(checkpoint.wallMs, change.id, change);
    const keys = [...tail.cids].map(([cid, receipt]) => ({ key: cidKey(cid), receipt })).sort((a, b) => a.key - b.key);
    for (const { key, receipt } of keys) this.#sql.key.run(key, receipt);
    const { ledgerMs, wallMs, poolUsed, poolMs } = checkpoint.state;
    this.#sql.state.run(tail.lastId, ledgerMs, wallMs, poolUsed, poolMs);
    if (checkpoint.scores !== undefined) this.#writeScores(checkpoint.scores);
    this.#history.tidy(checkpoint.wallMs, checkpoint.keep.historyMs);
    return this.#pruner.prune(tail.lastId, checkpoint.wallMs, checkpoint.keep);
  }

  #writeScores(scores: readonly PeerScore[]): void {
    this.#sql.clearScores.run();
    for (const { peer, score } of scores) this.#sql.score.run(peer, score);
  }

  #writeAccount(change: Change): void {
    this.#sql.account.run(
      change.blocksSent,
      change.blocksRecv,
      change.workSent,
      change.workRecv,
      change.exchanged,
      change.ghost,
      change.forgiven,
      change.refreshedMs,
      change.last,
      change.id,
    );
  }

  #accountId(peer: string, newPeers: string[]): number {
    const known = this.#ids.get(peer);
    if (known !== undefined) return known;
    let row = this.#sql.accountId.get(peer);
    if (row === undefined) {
      newPeers.push(peer);
      row = this.#sql.newAccount.get(peer);
    }
    const id = integer(row ?? {}, 'id');
    if (this.#ids.size >= ACCOUNT_IDS_MAX) this.#ids.clear();
    this.#ids.set(peer, id);
    return id;
  }
}

function toChange(id: number, delta: AccountDelta | undefined, sums: Unfolded | undefined): Change {
  return {
    id,
    blocksSent: (delta?.blocksSent ?? 0) + (sums?.blocksSent ?? 0),
    blocksRecv: delta?.blocksRecv ?? 0,
    workSent: (delta?.workSent ?? 0) + (sums?.workSent ?? 0),
    workRecv: (delta?.workRecv ?? 0) + (sums?.workRecv ?? 0),
    exchanged: (delta?.exchanged ?? 0) + (sums?.exchanged ?? 0),
    ghost: delta?.ghost ?? 0,
    forgiven: delta?.forgiven ?? 0,
    refreshedMs: delta?.refreshedMs ?? null,
    last: sums?.last ?? null,
  };
}

function prepareStatements({ sqlite }: Database) {
  return {
    folded: sqlite.prepare('SELECT receipts_folded AS folded FROM ledger_state'),
    accountId: sqlite.prepare('SELECT id FROM accounts WHERE peer = ?'),
    lastReceipt: sqlite.prepare('SELECT last_receipt FROM accounts WHERE id = ?'),
    newAccount: sqlite.prepare('INSERT INTO accounts (peer) VALUES (?) RETURNING id'),
    account: sqlite.prepare(
      `UPDATE accounts SET blocks_sent = blocks_sent + ?, blocks_recv = blocks_recv + ?, work_sent = work_sent + ?,
         work_recv = work_recv + ?, exchanged = exchanged + ?, ghost = ghost + ?, forgiven = forgiven + ?,
         refreshed_ms = coalesce(?, refreshed_ms), last_receipt = coalesce(?, last_receipt)
       WHERE id = ?`,
    ),
    receipt: sqlite.prepare(
      `INSERT INTO receipts (id, cid, account, entry, price, ledger_ms, time, bytes, previous)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    counted: sqlite.prepare(
      'SELECT 1 FROM receipt_keys k JOIN receipts r ON r.id = k.receipt WHERE k.key = ? AND r.cid = ?',
    ),
    clearScores: sqlite.prepare('DELETE FROM scores'),
    score: sqlite.prepare('INSERT INTO scores (peer, score) VALUES (?, ?)'),
    key: sqlite.prepare('INSERT INTO receipt_keys (key, receipt) VALUES (?, ?)'),
    state: sqlite.prepare(
      'UPDATE ledger_state SET receipts_folded = ?, ledger_ms = ?, wall_ms = ?, pool_used = ?, pool_ms = ?',
    ),
  };
}

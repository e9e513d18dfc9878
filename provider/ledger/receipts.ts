import type { SQLOutputValue, StatementSync } from 'node:sqlite';

import type { Database } from '../store/sqlite/index.ts';
import { ENTRIES } from './batch.ts';
import { cidKey } from './cid-key.ts';
import { blob, integer, text } from './columns.ts';
import type { Kind } from './types.ts';

/** A document that was settled. */
export interface StoredReceipt {
  cid: string;
  /** The other side. */
  peer: string;
  /** `given`: for work that we did. `received`: for work that the peer did for us. */
  direction: 'given' | 'received';
  kind: Kind;
  priceBytes: number;
  /** Wall-clock time of the settlement. */
  timeMs: number;
  /** Undefined when the document was pruned. */
  bytes: Uint8Array | undefined;
}

export interface ReceiptFilter {
  peer?: string;
  direction?: 'given' | 'received';
}

const COLUMNS = 'r.id, r.cid, a.peer, r.entry, r.price, r.time, r.bytes, r.previous';
const FROM = 'FROM receipts r JOIN accounts a ON a.id = r.account';
const PAGE_ROWS = 256;

/** Reads the settled receipts. */
export class Receipts {
  readonly #byKey: StatementSync;
  readonly #inTail: StatementSync;
  readonly #page: StatementSync;
  readonly #newest: StatementSync;
  readonly #newestInTail: StatementSync;
  readonly #one: StatementSync;

  constructor({ sqlite }: Database) {
    this.#byKey = sqlite.prepare(
      `SELECT ${COLUMNS} ${FROM} JOIN receipt_keys k ON k.receipt = r.id WHERE k.key = ? AND r.cid = ?`,
    );
    // The newest receipts are not in the index yet.
    this.#inTail = sqlite.prepare(
      `SELECT ${COLUMNS} ${FROM} WHERE r.id > (SELECT receipts_folded FROM ledger_state) AND r.cid = ?`,
    );
    this.#page = sqlite.prepare(`SELECT ${COLUMNS} ${FROM} WHERE r.id < ? ORDER BY r.id DESC LIMIT ${PAGE_ROWS}`);
    this.#newest = sqlite.prepare('SELECT id, last_receipt AS last FROM accounts WHERE peer = ?');
    this.#newestInTail = sqlite.prepare(
      'SELECT max(id) AS last FROM receipts WHERE id > (SELECT receipts_folded FROM ledger_state) AND account = ?',
    );
    this.#one = sqlite.prepare(`SELECT ${COLUMNS} ${FROM} WHERE r.id = ? AND r.account = ?`);
  }

  get(cid: string): StoredReceipt | undefined {
    const row = this.#byKey.get(cidKey(cid), cid) ?? this.#inTail.get(cid);
    return row === undefined ? undefined : toReceipt(row);
  }

  /** Newest first. Receipts that are settled meanwhile are not listed. */
  *list({ peer, direction }: ReceiptFilter = {}): Generator<StoredReceipt> {
    for (const receipt of peer === undefined ? this.#all() : this.#of(peer)) {
      if (direction === undefined || direction === receipt.direction) yield receipt;
    }
  }

  /** Follows the chain of one account; it ends where receipts were pruned, since the oldest go first. */
  *#of(peer: string): Generator<StoredReceipt> {
    const account = this.#newest.get(peer);
    if (account === undefined) return;
    const accountId = integer(account, 'id');
    const inTail = this.#newestInTail.get(accountId)?.['last'];
    let next = typeof inTail === 'number' ? inTail : integer(account, 'last');
    while (next > 0) {
      const row = this.#one.get(next, accountId);
      if (row === undefined) return;
      yield toReceipt(row);
      next = integer(row, 'previous');
    }
  }

  *#all(): Generator<StoredReceipt> {
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = this.#page.all(before);
      for (const row of rows) {
        before = integer(row, 'id');
        yield toReceipt(row);
      }
      if (rows.length < PAGE_ROWS) return;
    }
  }
}

function toReceipt(row: Record<string, SQLOutputValue>): StoredReceipt {
  const entry = ENTRIES[integer(row, 'entry')];
  return {
    cid: text(row, 'cid'),
    peer: text(row, 'peer'),
    direction: entry === 'workRecv' ? 'received' : 'given',
    kind: entry === 'blocksSent' ? 'blocks' : 'work',
    priceBytes: integer(row, 'price'),
    timeMs: integer(row, 'time'),
    bytes: blob(row, 'bytes'),
  };
}

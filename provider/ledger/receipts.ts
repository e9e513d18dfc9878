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

const COLUMNS = 'r.id, r.cid, a.peer, r.entry, r.price, r.time, r.bytes';
const FROM = 'FROM receipts r JOIN accounts a ON a.id = r.account';
const PAGE_ROWS = 256;

/** Reads the settled receipts. */
export class Receipts {
  readonly #byKey: StatementSync;
  readonly #inTail: StatementSync;
  readonly #page: StatementSync;

  constructor({ sqlite }: Database) {
    this.#byKey = sqlite.prepare(
      `SELECT ${COLUMNS} ${FROM} JOIN receipt_keys k ON k.receipt = r.id WHERE k.key = ? AND r.cid = ?`,
    );
    // The newest receipts are not in the index yet.
    this.#inTail = sqlite.prepare(
      `SELECT ${COLUMNS} ${FROM} WHERE r.id > (SELECT receipts_folded FROM ledger_state) AND r.cid = ?`,
    );
    this.#page = sqlite.prepare(`SELECT ${COLUMNS} ${FROM} WHERE r.id < ? ORDER BY r.id DESC LIMIT ${PAGE_ROWS}`);
  }

  get(cid: string): StoredReceipt | undefined {
    const row = this.#byKey.get(cidKey(cid), cid) ?? this.#inTail.get(cid);
    return row === undefined ? undefined : toReceipt(row);
  }

  /** Newest first. Receipts that are settled meanwhile are not listed. */
  *list(filter: ReceiptFilter = {}): Generator<StoredReceipt> {
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = this.#page.all(before);
      for (const row of rows) {
        before = integer(row, 'id');
        const receipt = toReceipt(row);
        if (filter.peer !== undefined && filter.peer !== receipt.peer) continue;
        if (filter.direction !== undefined && filter.direction !== receipt.direction) continue;
        yield receipt;
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

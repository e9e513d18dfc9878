import type { StatementSync } from 'node:sqlite';

import type { Database } from '../store/sqlite/index.ts';
import { ENTRIES, type Keep } from './batch.ts';
import { cidKey } from './cid-key.ts';
import { integer, text } from './columns.ts';

/** The most receipts that one checkpoint prunes, so that no commit waits long. */
export const PRUNED_AT_ONCE_MAX = 8_192;

/**
 * Forgets old receipts. Our own go altogether, since only we make them. Of those that others gave us the document goes
 * and the row stays: whoever shows such a receipt again must not be credited again.
 */
export class ReceiptPruner {
  readonly #oldest: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeKey: StatementSync;
  readonly #strip: StatementSync;
  readonly #prunedTo: StatementSync;
  readonly #setPrunedTo: StatementSync;

  constructor({ sqlite }: Database) {
    this.#oldest = sqlite.prepare(
      'SELECT id, cid, entry, time FROM receipts WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
    );
    this.#remove = sqlite.prepare('DELETE FROM receipts WHERE id = ?');
    this.#removeKey = sqlite.prepare('DELETE FROM receipt_keys WHERE key = ? AND receipt = ?');
    this.#strip = sqlite.prepare('UPDATE receipts SET bytes = NULL WHERE id = ?');
    this.#prunedTo = sqlite.prepare('SELECT receipts_pruned AS pruned FROM ledger_state');
    this.#setPrunedTo = sqlite.prepare('UPDATE ledger_state SET receipts_pruned = ?');
  }

  /** Oldest first, up to `PRUNED_AT_ONCE_MAX`. Only folded receipts: the others are still needed for a replay. */
  prune(folded: number, wallMs: number, keep: Keep): number {
    const from = integer(this.#prunedTo.get() ?? {}, 'pruned');
    const tooMany = folded - keep.receiptsMax;
    const tooOldMs = wallMs - keep.receiptsMs;
    let to = from;
    let pruned = 0;
    const first = this.#oldest.get(from, folded, 1);
    if (first === undefined || (integer(first, 'id') > tooMany && integer(first, 'time') >= tooOldMs)) return 0;
    for (const row of this.#oldest.all(from, folded, PRUNED_AT_ONCE_MAX)) {
      const id = integer(row, 'id');
      if (id > tooMany && integer(row, 'time') >= tooOldMs) break;
      if (ENTRIES[integer(row, 'entry')] === 'workRecv') {
        this.#strip.run(id);
      } else {
        this.#remove.run(id);
        this.#removeKey.run(cidKey(text(row, 'cid')), id);
      }
      to = id;
      pruned += 1;
    }
    if (to > from) this.#setPrunedTo.run(to);
    return pruned;
  }
}

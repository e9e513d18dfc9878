import type { SQLOutputValue, StatementSync } from 'node:sqlite';

import { toStoreError, type Database } from '../store/sqlite/index.ts';
import { AccountEntry } from './account.ts';
import type { LedgerState } from './batch.ts';
import { integer, text } from './columns.ts';
import type { Terms } from './policy.ts';

const COLUMNS = 'id, peer, blocks_sent, blocks_recv, work_sent, work_recv, exchanged, ghost, forgiven, refreshed_ms';
const PAGE_ROWS = 1_000;

/** Reads accounts as the last checkpoint left them. */
export class AccountReader {
  readonly #path: string;
  readonly #termsOf: (peer: string) => Terms;
  readonly #one: StatementSync;
  readonly #page: StatementSync;
  readonly #inTail: StatementSync;
  readonly #state: StatementSync;

  constructor(database: Database, termsOf: (peer: string) => Terms) {
    this.#path = database.path;
    this.#termsOf = termsOf;
    this.#one = database.sqlite.prepare(`SELECT ${COLUMNS} FROM accounts WHERE peer = ?`);
    this.#page = database.sqlite.prepare(`SELECT ${COLUMNS} FROM accounts WHERE id > ? ORDER BY id LIMIT ${PAGE_ROWS}`);
    this.#inTail = database.sqlite.prepare(
      `SELECT ${COLUMNS} FROM accounts
       WHERE id IN (SELECT account FROM receipts WHERE id > (SELECT receipts_folded FROM ledger_state))`,
    );
    this.#state = database.sqlite.prepare('SELECT ledger_ms, wall_ms, pool_used, pool_ms FROM ledger_state');
  }

  /** A peer that was never heard of gets an empty account that is not `known`. @throws StoreError */
  load(peer: string, nowMs: number): AccountEntry {
    try {
      const row = this.#one.get(peer);
      return row === undefined ? new AccountEntry(peer, this.#termsOf(peer), nowMs, false) : this.#entry(row);
    } catch (error) {
      throw toStoreError(error, this.#path);
    }
  }

  /** The accounts of the receipts that are not folded yet, by row: one pass instead of a search for each peer. */
  inTail(): Map<number, AccountEntry> {
    const entries = new Map<number, AccountEntry>();
    for (const row of this.#inTail.iterate()) {
      const entry = this.#entry(row);
      entries.set(entry.row, entry);
    }
    return entries;
  }

  /** In pages, so that no read transaction stays open while the caller thinks. */
  *all(): Generator<AccountEntry> {
    let last = 0;
    for (;;) {
      const rows = this.#page.all(last);
      for (const row of rows) {
        last = integer(row, 'id');
        yield this.#entry(row);
      }
      if (rows.length < PAGE_ROWS) return;
    }
  }

  state(): LedgerState {
    const row = this.#state.get() ?? {};
    return {
      ledgerMs: integer(row, 'ledger_ms'),
      wallMs: integer(row, 'wall_ms'),
      poolUsed: integer(row, 'pool_used'),
      poolMs: integer(row, 'pool_ms'),
    };
  }

  #entry(row: Record<string, SQLOutputValue>): AccountEntry {
    const peer = text(row, 'peer');
    const entry = new AccountEntry(peer, this.#termsOf(peer), integer(row, 'refreshed_ms'), true);
    entry.row = integer(row, 'id');
    entry.blocksSent = integer(row, 'blocks_sent');
    entry.blocksRecv = integer(row, 'blocks_recv');
    entry.workSent = integer(row, 'work_sent');
    entry.workRecv = integer(row, 'work_recv');
    entry.exchanged = integer(row, 'exchanged');
    entry.ghost = integer(row, 'ghost');
    entry.forgiven = integer(row, 'forgiven');
    return entry;
  }
}

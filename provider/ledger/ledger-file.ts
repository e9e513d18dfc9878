import { checkVersion, openDatabase, type Database } from '../store/sqlite/index.ts';
import { toAccount } from './account.ts';
import { Book } from './book.ts';
import { systemClock } from './clock.ts';
import { integer, text } from './columns.ts';
import { LedgerError } from './errors.ts';
import { PeerTerms } from './policy.ts';
import { readHistory, type HistoryFilter, type HistoryRow } from './read-history.ts';
import { AccountReader } from './reader.ts';
import { Receipts } from './receipts.ts';
import { recover } from './recover.ts';
import { savedPolicy } from './saved-policy.ts';
import { ledgerSchema } from './schema.ts';
import { readTail, withTail } from './tail.ts';
import type { Account } from './types.ts';

/** An account as somebody sees it who does not run the node. */
export interface StoredAccount extends Account {
  /** 0 to 25, as the running node last wrote it; null when the peer is not connected. */
  score: number | null;
  /** Start of the minute (what is older: hour or day) of the last exchange; null when the journal has forgotten it. */
  lastMs: number | null;
}

/**
 * A ledger's file read from outside, also while its node runs: everything as of one moment. Shows what is on the disk,
 * that is receipts at once, blocks up to a second late, and no reservations.
 */
export class LedgerFile {
  readonly #database: Database;
  /** Undefined for a file that a node is just about to set up. */
  readonly #receipts: Receipts | undefined;

  /** @throws StoreError, LedgerError LEDGER_OUTDATED */
  constructor(path: string) {
    const database = openDatabase(path, { readOnly: true });
    this.#database = database;
    try {
      const version = checkVersion(database, ledgerSchema);
      if (version > 0 && version < ledgerSchema.steps.length) {
        throw new LedgerError('LEDGER_OUTDATED', `${path} is of an older Workswap. Start its node once to update it.`);
      }
      // One transaction, so that accounts and the receipts to be added belong to the same moment.
      database.sqlite.exec('BEGIN');
      this.#receipts = version === 0 ? undefined : new Receipts(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get receipts(): Pick<Receipts, 'get' | 'list'> {
    return this.#receipts ?? { get: () => undefined, list: function* () {} };
  }

  accounts(): StoredAccount[] {
    if (this.#receipts === undefined) return [];
    const policy = savedPolicy(this.#database);
    const { reader, time, pool, tail, accounts } = recover(this.#database, policy, systemClock);
    const book = new Book(policy, pool, () => {});
    const last = this.#lastExchanges();
    for (const row of tail) {
      book.exchange(accounts.get(row.account)!, row.entry, row.price, row.ledgerMs, true);
      last.set(row.account, row.wallMs);
    }
    const scores = this.#scores();
    const nowMs = time.nowMs();
    return Array.from(reader.all(), (stored) => {
      const entry = accounts.get(stored.row) ?? stored;
      return {
        ...toAccount(entry, policy, book.forgivable(entry, nowMs)),
        score: scores.get(entry.peer) ?? null,
        lastMs: last.get(stored.row) ?? null,
      };
    });
  }

  /** The journal, with the receipts that are not folded into it yet. */
  history(filter: HistoryFilter = {}): Iterable<HistoryRow> {
    if (this.#receipts === undefined) return [];
    const terms = new PeerTerms(savedPolicy(this.#database));
    const accounts = new AccountReader(this.#database, (peer) => terms.of(peer)).inTail();
    const peerOf = (row: number): string => accounts.get(row)!.peer;
    return withTail(readHistory(this.#database, filter), readTail(this.#database), peerOf, filter);
  }

  close(): void {
    this.#database.close();
  }

  #lastExchanges(): Map<number, number> {
    const rows = this.#database.sqlite
      .prepare(
        `SELECT account, max(period) AS last FROM history
         WHERE blocks_sent + blocks_recv + work_sent + work_recv > 0 GROUP BY account`,
      )
      .all();
    return new Map(rows.map((row) => [integer(row, 'account'), integer(row, 'last')]));
  }

  #scores(): Map<string, number> {
    const rows = this.#database.sqlite.prepare('SELECT peer, score FROM scores').all();
    return new Map(rows.map((row) => [text(row, 'peer'), integer(row, 'score')]));
  }
}

/**
 * Every account of a ledger's file.
 * @throws StoreError
 */
export function readAccounts(path: string): StoredAccount[] {
  const file = new LedgerFile(path);
  try {
    return file.accounts();
  } finally {
    file.close();
  }
}

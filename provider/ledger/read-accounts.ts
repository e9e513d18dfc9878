import { openDatabase, versionOf } from '../store/sqlite/index.ts';
import { toAccount, type AccountEntry } from './account.ts';
import { Book } from './book.ts';
import { LedgerTime, systemClock } from './clock.ts';
import { StrangerPool } from './pool.ts';
import { createTerms } from './policy.ts';
import { AccountReader } from './reader.ts';
import { savedPolicy } from './saved-policy.ts';
import { ledgerSchema } from './schema.ts';
import { readTail } from './tail.ts';
import type { Account } from './types.ts';

/**
 * Every account of a ledger's file, read from outside, also while its node runs. Shows what is on the disk: receipts at
 * once, blocks up to a second late, and no reservations.
 * @throws StoreError
 */
export function readAccounts(path: string): Account[] {
  const database = openDatabase(path, { readOnly: true });
  try {
    if (versionOf(database.sqlite, ledgerSchema.name) === 0) return [];
    const policy = savedPolicy(database);
    const reader = new AccountReader(database, createTerms(policy));
    // One transaction, so that accounts and the receipts to be added belong to the same moment.
    database.sqlite.exec('BEGIN');
    const state = reader.state();
    const time = new LedgerTime(systemClock, state, policy.downtimeMsMax);
    const pool = new StrangerPool(policy, { used: state.poolUsed, refreshedMs: state.poolMs });
    const book = new Book(policy, pool, () => {});
    const changed = new Map<string, AccountEntry>();
    for (const row of readTail(database)) {
      const entry = changed.get(row.peer) ?? reader.load(row.peer, row.ledgerMs);
      changed.set(row.peer, entry);
      book.exchange(entry, row.entry, row.price, row.ledgerMs, true);
    }
    const nowMs = time.nowMs();
    return Array.from(reader.all(), (stored) => {
      const entry = changed.get(stored.peer) ?? stored;
      return toAccount(entry, policy, book.forgivable(entry, nowMs));
    });
  } finally {
    database.close();
  }
}

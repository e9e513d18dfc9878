import { checkVersion, openDatabase } from '../store/sqlite/index.ts';
import { toAccount, type AccountEntry } from './account.ts';
import { Book } from './book.ts';
import { systemClock } from './clock.ts';
import { recover } from './recover.ts';
import { savedPolicy } from './saved-policy.ts';
import { ledgerSchema } from './schema.ts';
import type { Account } from './types.ts';

/**
 * Every account of a ledger's file, read from outside, also while its node runs. Shows what is on the disk: receipts at
 * once, blocks up to a second late, and no reservations.
 * @throws StoreError
 */
export function readAccounts(path: string): Account[] {
  const database = openDatabase(path, { readOnly: true });
  try {
    if (checkVersion(database, ledgerSchema) === 0) return [];
    // One transaction, so that accounts and the receipts to be added belong to the same moment.
    database.sqlite.exec('BEGIN');
    const policy = savedPolicy(database);
    const { reader, time, pool, tail } = recover(database, policy, systemClock);
    const book = new Book(policy, pool, () => {});
    const changed = new Map<string, AccountEntry>();
    for (const row of tail) {
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

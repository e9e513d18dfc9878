import type { Database } from '../store/sqlite/index.ts';
import type { Keep } from './batch.ts';
import type { LedgerClock } from './clock.ts';
import type { CreditPolicy } from './policy.ts';

export interface ScoreLedgerInit {
  /** A database of the ledger's own: another writer in the same file would wait for every commit. */
  database: Database;
  policy?: Partial<CreditPolicy>;
  clock?: LedgerClock;
  /** Accounts kept in memory. The rest is on disk. */
  accountsCachedMax?: number;
  keep?: Partial<Keep>;
}

export const accountsCachedDefault = 32_768;
export const keepDefault: Keep = {
  accountsMax: 1_000_000,
  receiptsMax: 1_000_000,
  receiptsMs: 366 * 86_400_000,
  historyMs: 731 * 86_400_000,
};

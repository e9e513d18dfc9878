import { transaction, type Database } from '../store/sqlite/index.ts';
import { integer } from './columns.ts';

const IDLE_DAYS_MIN = 30;

/**
 * Peer ids are free, so accounts are a way to fill a disk. When there are too many, those go that no longer differ from
 * a newcomer's: the peer never gave anything, never had work done, and time has forgiven what it owed. Only before a
 * ledger starts, when no account is in memory.
 */
export function forgetStrangers(database: Database, accountsMax: number, refreshBytesPerSecond: number): number {
  const { sqlite } = database;
  const count = integer(sqlite.prepare('SELECT count(*) AS n FROM accounts').get() ?? {}, 'n');
  if (count <= accountsMax) return 0;
  return transaction(database, () => {
    const { changes } = sqlite
      .prepare(
        // The newest account stays, so that its row number is not given to somebody else.
        `DELETE FROM accounts WHERE blocks_recv = 0 AND work_recv = 0 AND work_sent = 0
           AND blocks_sent + ghost - forgiven <= :forgivable
           AND refreshed_ms < (SELECT ledger_ms FROM ledger_state) - :idleMs
           AND id NOT IN (SELECT account FROM receipts WHERE id > (SELECT receipts_folded FROM ledger_state))
           AND id < (SELECT max(id) FROM accounts)`,
      )
      .run({ forgivable: refreshBytesPerSecond * IDLE_DAYS_MIN * 86_400, idleMs: IDLE_DAYS_MIN * 86_400_000 });
    return Number(changes);
  });
}

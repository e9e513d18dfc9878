import { transaction, type Database } from '../store/sqlite/index.ts';
import { makePolicy, type CreditPolicy } from './policy.ts';

export function savePolicy(database: Database, policy: CreditPolicy): void {
  const json = JSON.stringify(policy);
  if (database.sqlite.prepare('SELECT policy FROM ledger_state').get()?.['policy'] === json) return;
  transaction(database, () => database.sqlite.prepare('UPDATE ledger_state SET policy = ?').run(json));
}

/** The policy of the last ledger that used this database. */
export function savedPolicy(database: Database): CreditPolicy {
  const json = database.sqlite.prepare('SELECT policy FROM ledger_state').get()?.['policy'];
  return makePolicy(typeof json === 'string' ? (JSON.parse(json) as Partial<CreditPolicy>) : {});
}

import type { Database } from '../store/sqlite/index.ts';
import type { AccountEntry } from './account.ts';
import { LedgerTime, type LedgerClock } from './clock.ts';
import { PeerTerms, type CreditPolicy } from './policy.ts';
import { StrangerPool } from './pool.ts';
import { AccountReader } from './reader.ts';
import { readTail, type TailRow } from './tail.ts';

/** Where a ledger goes on from. */
export interface Recovered {
  terms: PeerTerms;
  reader: AccountReader;
  time: LedgerTime;
  pool: StrangerPool;
  /** Receipts that the accounts do not contain yet: a crash came before the checkpoint. */
  tail: TailRow[];
  /** Their accounts by row, as the last checkpoint left them. */
  accounts: Map<number, AccountEntry>;
}

/** Reads what the last process left behind. Changes nothing. */
export function recover(database: Database, policy: CreditPolicy, clock: LedgerClock): Recovered {
  const terms = new PeerTerms(policy);
  const reader = new AccountReader(database, (peer) => terms.of(peer));
  const state = reader.state();
  const tail = [...readTail(database)];
  // The last moment of which both clocks are known.
  const last = tail.at(-1) ?? state;
  const isNew = state.wallMs === 0 && tail.length === 0;
  const time = new LedgerTime(clock, isNew ? undefined : last, policy.downtimeMsMax);
  const pool = new StrangerPool(policy, { used: state.poolUsed, refreshedMs: state.poolMs });
  return { terms, reader, time, pool, tail, accounts: reader.inTail() };
}

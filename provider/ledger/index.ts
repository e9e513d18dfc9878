export { createScoreLedger, type PersistentScoreLedger, type ScoreLedgerInit } from './ledger.ts';
export { readAccounts } from './read-accounts.ts';
export { LedgerError, OverCreditError, type LedgerErrorCode, type OverCreditReason } from './errors.ts';
export { defaultPolicy, makePolicy, type CreditPolicy, type PeerOverride } from './policy.ts';
export { systemClock, type LedgerClock } from './clock.ts';
export { TOTAL_BYTES_MAX } from './amounts.ts';
export type { Account, CreditZone, Kind, LedgerReceipt, LedgerRecord, Reservation, ScoreLedger } from './types.ts';

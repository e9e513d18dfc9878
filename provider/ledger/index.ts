export { createScoreLedger, PersistentScoreLedger } from './ledger.ts';
export type { ScoreLedgerInit } from './options.ts';
export type { Keep } from './batch.ts';
export { LedgerFile, readAccounts, type StoredAccount } from './ledger-file.ts';
export { LedgerError, OverCreditError, type LedgerErrorCode, type OverCreditReason } from './errors.ts';
export { historyCsv, type HistoryFilter, type HistoryRow } from './read-history.ts';
export { type ReceiptFilter, Receipts, type StoredReceipt } from './receipts.ts';
export { defaultPolicy, makePolicy, type CreditPolicy, type PeerOverride } from './policy.ts';
export { LedgerTime, systemClock, type LedgerClock } from './clock.ts';
export { TOTAL_BYTES_MAX } from './amounts.ts';
export type { Account, CreditZone, Kind, LedgerReceipt, LedgerRecord, Reservation, ScoreLedger } from './types.ts';
export {
  openStatement,
  sealStatement,
  STATED_RECEIPTS_MAX,
  stateAccount,
  type AccountStatement,
  type StatedReceipt,
} from './statement.ts';
export { reconcile, type Difference, type DifferenceCause, type Reconciliation } from './reconcile.ts';
export {
  LEDGER_PROTOCOL,
  ReconcileError,
  Reconciler,
  type Reconciled,
  type ReconcileErrorCode,
} from './exchange/index.ts';
export { statementsCar } from './car.ts';
export { checkCar, type CheckedCar, type CheckedStatement } from './check-car.ts';

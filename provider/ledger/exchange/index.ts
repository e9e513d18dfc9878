export { Reconciler, type Reconciled, type ReconcilerComponents, type ReconcilerInit } from './reconciler.ts';
export { LEDGER_PROTOCOL, RATES } from './constants.ts';
export { ReconcileError, type ReconcileErrorCode } from './errors.ts';

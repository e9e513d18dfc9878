export { RecordError, ServiceKeyError, type RecordReason } from './errors.ts';
export { isShortName, ServiceKeys } from './keys.ts';
export { checkRecord, createRecord, isNewer, RECORD_BYTES_MAX, refuseOlder, type NameRecord } from './records.ts';
export { NameStore } from './store.ts';

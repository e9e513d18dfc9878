export { openDatabase, transaction, type Database, type OpenDatabaseOptions } from './database.ts';
export { StoreError, type StoreErrorCode } from '../errors.ts';
export { lockHolder, tryLock, type Lock } from './lock.ts';
export { toStoreError } from './errors.ts';
export { migrate, checkVersion, type Schema } from './migrate.ts';
export { openWriteTarget, type BatchWriter, type WriteTarget } from './write-target.ts';

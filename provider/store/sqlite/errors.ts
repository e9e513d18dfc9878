import { StoreError } from '../errors.ts';

interface SqliteError extends Error {
  code: 'ERR_SQLITE_ERROR';
  errcode: number;
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && ((error.errcode & 0xff) === BUSY || (error.errcode & 0xff) === LOCKED);
}

/** What SQLite said, in words that tell the operator what to do. Errors of other origin pass unchanged. */
export function toStoreError(error: unknown, path: string): unknown {
  if (!isSqliteError(error)) return error;
  const init = { path, sqliteCode: error.errcode, cause: error };
  switch (error.errcode & 0xff) {
    case FULL:
      return new StoreError('STORE_FULL', `No space left for ${path}. Free disk space; the node goes on by itself.`, {
        ...init,
        retryable: true,
      });
    case BUSY:
    case LOCKED:
      return new StoreError(
        'STORE_LOCKED',
        `${path} is locked by another process. Close it or use another data directory.`,
        {
          ...init,
          retryable: true,
        },
      );
    case CORRUPT:
    case NOT_A_DATABASE:
      return new StoreError(
        'STORE_CORRUPT',
        `${path} is damaged or is not a Workswap database (${error.message}). Restore it from a backup, or move it away to start anew.`,
        init,
      );
    case READ_ONLY:
      return new StoreError('STORE_READ_ONLY', `${path} cannot be written. Check its permissions.`, init);
    case CANNOT_OPEN:
      return new StoreError(
        'STORE_UNAVAILABLE',
        `${path} cannot be opened. Check that its directory exists and may be written.`,
        init,
      );
    default:
      return new StoreError('STORE_UNAVAILABLE', `${path} cannot be used: ${error.message}.`, init);
  }
}

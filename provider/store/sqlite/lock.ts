import { DatabaseSync } from 'node:sqlite';

import { StoreError } from '../errors.ts';
import { isBusy, toStoreError } from './errors.ts';

export interface Lock {
  release(): void;
}

/**
 * Holds `path` for this process until `release` is called or the process ends, however it ends: the lock is a write
 * transaction that is never committed on a small database of its own, so the operating system drops it with the process.
 *
 * Nothing else in this process may open the lock file: closing any descriptor of it drops POSIX locks.
 * @throws StoreError STORE_LOCKED with the holder's process id.
 */
export function lockFile(path: string): Lock {
  const lock = tryLock(path);
  if ('release' in lock) return lock;
  throw locked(path, lock.holder, lock.cause);
}

/** The lock, or the process that holds it; its number is not known where it is just starting. @throws StoreError */
export function tryLock(path: string): Lock | { holder: number | undefined; cause: unknown } {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0 });
    // A journal in memory leaves no second file behind; the content is only a hint for the error message.
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF');
    db.exec('BEGIN IMMEDIATE');
    // A write transaction without changes keeps readers in, so the next process can name the holder.
    db.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL) STRICT');
    db.exec('DELETE FROM holder');
    db.prepare('INSERT INTO holder (pid) VALUES (?)').run(process.pid);
    db.exec('COMMIT; BEGIN IMMEDIATE');
  } catch (error) {
    const holder = db !== undefined && isBusy(error) ? readHolder(db) : undefined;
    db?.close();
    if (isBusy(error)) return { holder, cause: error };
    throw toStoreError(error, path);
  }
  const held = db;
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}

/**
 * The id of the process that holds a database file which `openDatabase` opened; undefined when none does. Not for a process
 * that may hold it itself.
 */
export function lockHolder(path: string): number | undefined {
  const db = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return undefined;
  } catch (error) {
    if (isBusy(error)) return readHolder(db);
    throw toStoreError(error, path);
  } finally {
    db.close();
  }
}

function readHolder(db: DatabaseSync): number | undefined {
  try {
    const pid = db.prepare('SELECT pid FROM holder').get()?.['pid'];
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    return undefined;
  }
}

function locked(path: string, pid: number | undefined, cause: unknown): StoreError {
  const holder = pid === undefined ? 'another process' : pid === process.pid ? 'this process' : `process ${pid}`;
  return new StoreError(
    'STORE_LOCKED',
    `${path} is held by ${holder}: a second provider cannot use the same data. Stop the other one or choose another data directory.`,
    { path, retryable: true, cause },
  );
}

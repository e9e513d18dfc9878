import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { StoreError } from '../errors.ts';
import { toStoreError } from './errors.ts';
import { lockFile } from './lock.ts';

/** "WSWP": tells our files from other SQLite databases. */
const APPLICATION_ID = 0x57535750;
/** The layout shared by all rooms (the table of versions). Each room's own tables are versioned by `migrate`. */
const STORE_VERSION = 1;
const BUSY_TIMEOUT_MS = 5_000;
/** An upper bound that only large ledgers reach. */
const CACHE_KIB = 65_536;

export interface OpenDatabaseOptions {
  /** Read while another process writes: takes no lock and changes nothing. */
  readOnly?: boolean;
  /** False when the caller already holds the lock of this file, as a second connection of the same process does. */
  lock?: boolean;
}

export interface Database {
  readonly path: string;
  readonly readOnly: boolean;
  readonly sqlite: DatabaseSync;
  close(): void;
}

/**
 * Opens a database file, or one in memory with `':memory:'`. Every commit is on the disk when it returns (WAL with
 * `synchronous = FULL`). One process at a time may write a file; the lock ends with the process.
 * @throws StoreError STORE_LOCKED, STORE_CORRUPT, STORE_NEWER, STORE_FULL, STORE_READ_ONLY, STORE_UNAVAILABLE.
 */
export function openDatabase(path: string, options: OpenDatabaseOptions = {}): Database {
  const readOnly = options.readOnly ?? false;
  const shared = path === ':memory:' || readOnly || options.lock === false;
  if (path !== ':memory:' && !readOnly) makeDirectory(path);
  const lock = shared ? undefined : lockFile(`${path}.lock`);
  let sqlite: DatabaseSync | undefined;
  try {
    sqlite = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    prepare(sqlite, path, readOnly);
  } catch (error) {
    sqlite?.close();
    lock?.release();
    throw toStoreError(error, path);
  }
  const opened = sqlite;
  return {
    path,
    readOnly,
    sqlite: opened,
    close() {
      if (opened.isOpen) opened.close();
      lock?.release();
    },
  };
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StoreError('STORE_UNAVAILABLE', `The directory of ${path} cannot be made. Check its permissions.`, {
      path,
      cause: error,
    });
  }
}

function prepare(db: DatabaseSync, path: string, readOnly: boolean): void {
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF`);
  // First of all: somebody else's file must not even change its journal mode.
  const isNew = identify(db, path);
  if (readOnly) return;
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000');
  if (!isNew) return;
  db.exec(`BEGIN IMMEDIATE;
    CREATE TABLE schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${STORE_VERSION};
    COMMIT`);
}

/** True for an empty file. @throws StoreError when the file is not ours or is newer than we are */
function identify(db: DatabaseSync, path: string): boolean {
  const id = pragma(db, 'application_id');
  if (id === APPLICATION_ID) {
    const version = pragma(db, 'user_version');
    if (version <= STORE_VERSION) return false;
    throw new StoreError(
      'STORE_NEWER',
      `${path} was made by a newer Workswap (store ${version}, this one knows ${STORE_VERSION}). Update Workswap.`,
      { path },
    );
  }
  if (id === 0 && db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0) return true;
  throw new StoreError('STORE_CORRUPT', `${path} is not a Workswap database. Choose another path.`, { path });
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  const value = db.prepare(`PRAGMA ${name}`).get()?.[name];
  return typeof value === 'number' ? value : 0;
}

/**
 * Runs `work` in one transaction and commits it; nothing of it stays when it throws.
 * @throws StoreError when SQLite refuses; other errors of `work` pass unchanged.
 */
export function transaction<T>(database: Pick<Database, 'sqlite' | 'path'>, work: () => T): T {
  const db = database.sqlite;
  try {
    db.exec('BEGIN IMMEDIATE');
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // After a full disk SQLite has already rolled back by itself.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw toStoreError(error, database.path);
  }
}

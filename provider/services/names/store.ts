import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import { migrate, type Database, type Schema } from '../../store/index.ts';
import { isNewer, type NameRecord } from './records.ts';

export const namesSchema: Schema = {
  name: 'names',
  steps: [
    `CREATE TABLE names (
       name TEXT PRIMARY KEY,
       record BLOB NOT NULL,
       descriptor TEXT NOT NULL,
       sequence INTEGER NOT NULL,
       expires_ms INTEGER NOT NULL,
       ttl_ms INTEGER NOT NULL,
       used_ms INTEGER NOT NULL,
       pinned INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX names_used ON names (pinned, used_ms)`,
    `ALTER TABLE names RENAME COLUMN descriptor TO value;
     UPDATE names SET value = '/ipfs/' || value`,
  ],
};

/**
 * The newest record of every name that this node hosts or has used. It outlives a restart, and its own end: nobody can
 * put an older one in its place.
 */
export class NameStore {
  readonly #database: Database;
  readonly #namesMax: number;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #pin: StatementSync;
  readonly #trim: StatementSync;

  constructor(database: Database, namesMax: number) {
    migrate(database, namesSchema);
    this.#database = database;
    this.#namesMax = namesMax;
    const { sqlite } = database;
    this.#get = sqlite.prepare('SELECT * FROM names WHERE name = ?');
    this.#put = sqlite.prepare(
      `INSERT INTO names (name, record, value, sequence, expires_ms, ttl_ms, used_ms, pinned)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET record = excluded.record, value = excluded.value,
         sequence = excluded.sequence, expires_ms = excluded.expires_ms, ttl_ms = excluded.ttl_ms,
         used_ms = excluded.used_ms, pinned = max(pinned, excluded.pinned)`,
    );
    this.#pin = sqlite.prepare('UPDATE names SET pinned = 1 WHERE name = ?');
    this.#trim = sqlite.prepare(
      `DELETE FROM names WHERE pinned = 0 AND name IN
         (SELECT name FROM names WHERE pinned = 0 ORDER BY used_ms DESC LIMIT -1 OFFSET ?)`,
    );
  }

  /** The newest record, valid or expired: whatever is older is refused. */
  latest(name: string): NameRecord | undefined {
    const row = this.#get.get(name);
    return row === undefined ? undefined : toRecord(row);
  }

  /** Keeps a checked record if it is newer. A pinned one, of a service that we host, is never forgotten. */
  put(record: NameRecord, { pinned = false } = {}): void {
    const { name, bytes, value, sequence, expiresMs, ttlMs } = record;
    if (!isNewer(record, this.latest(name))) {
      if (pinned) this.#pin.run(name);
      return;
    }
    this.#put.run(name, bytes, value, sequence, expiresMs, ttlMs, Date.now(), pinned ? 1 : 0);
    this.#trim.run(this.#namesMax);
  }

  /** Keeps a checked record if it is newer, of a name that is here already: none is forgotten for it. */
  renew(record: NameRecord): void {
    if (this.latest(record.name) !== undefined) this.put(record);
  }

  close(): void {
    this.#database.close();
  }
}

function toRecord(row: Record<string, SQLOutputValue>): NameRecord {
  return {
    name: String(row['name']),
    bytes: row['record'] as Uint8Array,
    value: String(row['value']),
    sequence: Number(row['sequence']),
    expiresMs: Number(row['expires_ms']),
    ttlMs: Number(row['ttl_ms']),
  };
}

import type { DatabaseSync } from 'node:sqlite';

import { StoreError } from '../errors.ts';
import { toStoreError } from './errors.ts';

/** A room's tables: the steps that lead to them, oldest first. Published steps never change; new ones are appended. */
export interface Schema {
  name: string;
  steps: readonly string[];
}

/**
 * Brings a room's tables to the newest step, all or nothing. Several rooms may share one file: each has its own version.
 * @throws StoreError STORE_NEWER when a newer Workswap made the tables.
 */
export function migrate(db: DatabaseSync, schema: Schema, path: string): void {
  const found = versionOf(db, schema.name);
  if (found > schema.steps.length) {
    throw new StoreError(
      'STORE_NEWER',
      `${path} was made by a newer Workswap (${schema.name} version ${found}, this one knows ${schema.steps.length}). Update Workswap or use another data directory.`,
      { path },
    );
  }
  if (found === schema.steps.length) return;
  try {
    db.exec('BEGIN IMMEDIATE');
    for (const step of schema.steps.slice(found)) db.exec(step);
    db.prepare(
      'INSERT INTO schema_versions (name, version) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version',
    ).run(schema.name, schema.steps.length);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw toStoreError(error, path);
  }
}

/** The version of a room's tables in this file; 0 when there are none. */
export function versionOf(db: DatabaseSync, name: string): number {
  const row = db.prepare('SELECT version FROM schema_versions WHERE name = ?').get(name);
  return typeof row?.['version'] === 'number' ? row['version'] : 0;
}

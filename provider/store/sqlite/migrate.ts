import { StoreError } from '../errors.ts';
import { transaction, type Database } from './database.ts';

/** A room's tables: the steps that lead to them, oldest first. Published steps never change; new ones are appended. */
export interface Schema {
  name: string;
  steps: readonly string[];
}

/**
 * Brings a room's tables to the newest step, all or nothing. Several rooms may share one file: each has its own version.
 * @throws StoreError STORE_NEWER when a newer Workswap made the tables.
 */
export function migrate(database: Pick<Database, 'sqlite' | 'path'>, schema: Schema): void {
  const { sqlite } = database;
  const found = checkVersion(database, schema);
  if (found === schema.steps.length) return;
  transaction(database, () => {
    for (const step of schema.steps.slice(found)) sqlite.exec(step);
    sqlite
      .prepare(
        'INSERT INTO schema_versions (name, version) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version',
      )
      .run(schema.name, schema.steps.length);
  });
}

/**
 * The version of a room's tables in this file; 0 when there are none.
 * @throws StoreError STORE_NEWER
 */
export function checkVersion({ sqlite, path }: Pick<Database, 'sqlite' | 'path'>, schema: Schema): number {
  // A file that is read while its first writer still sets it up.
  if (sqlite.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_versions'").get() === undefined) return 0;
  const version = sqlite.prepare('SELECT version FROM schema_versions WHERE name = ?').get(schema.name)?.['version'];
  const found = typeof version === 'number' ? version : 0;
  if (found <= schema.steps.length) return found;
  throw new StoreError(
    'STORE_NEWER',
    `${path} was made by a newer Workswap (${schema.name} version ${found}, this one knows ${schema.steps.length}). Update Workswap or use another data directory.`,
    { path },
  );
}

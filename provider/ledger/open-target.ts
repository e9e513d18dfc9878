import type { Database } from '../store/sqlite/index.ts';
import type { LedgerError } from './errors.ts';
import type { CommitTarget } from './group-commit.ts';
import { inlineTarget } from './inline-target.ts';
import { threadTarget } from './thread-target.ts';
import { LedgerWriter } from './writer.ts';

/** A database in memory exists in one thread only, and never waits for a disk. */
export function openTarget(database: Database, onLost: (error: LedgerError) => void): CommitTarget {
  return database.path === ':memory:' ? inlineTarget(new LedgerWriter(database)) : threadTarget(database.path, onLost);
}

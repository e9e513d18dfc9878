import type { Database } from '../../store/index.ts';
import type { Batch, Written } from './batch.ts';
import { threadTarget } from './thread-target.ts';
import { StateWriter } from './writer.ts';

/** Where batches become durable: on this thread or on another. One batch at a time. */
export interface WriteTarget {
  write(batch: Batch): Promise<Written>;
  close(): Promise<void>;
}

/** A database in memory exists in one thread only, and never waits for a disk. */
export function openTarget(database: Database): WriteTarget {
  if (database.path !== ':memory:') return threadTarget(database.path);
  const writer = new StateWriter(database);
  return {
    write: async (batch) => writer.write(batch),
    close: async () => {},
  };
}

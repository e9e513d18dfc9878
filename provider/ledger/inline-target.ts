import type { Batch, Committed } from './batch.ts';
import type { CommitTarget } from './group-commit.ts';
import type { LedgerWriter } from './writer.ts';

export const NOTHING_COMMITTED: Committed = { duplicates: [], pruned: 0 };

/** Commits on this thread. */
export function inlineTarget(writer: LedgerWriter): CommitTarget {
  return {
    submit(batch: Batch, done) {
      let committed: Committed;
      try {
        committed = writer.commit(batch);
      } catch (error) {
        done(error, NOTHING_COMMITTED);
        return;
      }
      done(undefined, committed);
    },
    drain() {},
    close() {},
  };
}

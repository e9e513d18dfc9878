import type { Schema } from '../../store/index.ts';

/**
 * A commit is one transaction: the new root, the applied tasks, and all blocks of the root that were not there before. So
 * the blocks need no sync of their own, and a root never names a block that a crash could lose.
 */
export const stateSchema: Schema = {
  name: 'state',
  steps: [
    `
    CREATE TABLE states (
      id INTEGER PRIMARY KEY,
      service TEXT NOT NULL UNIQUE,
      -- Binary CIDs.
      root BLOB NOT NULL,
      commit_cid BLOB,
      -- Counts every change of the row: whoever changes it says which one it has seen.
      sequence INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE applied (
      state INTEGER NOT NULL,
      task BLOB NOT NULL,
      -- NULL: it changed nothing.
      commit_cid BLOB,
      time_ms INTEGER NOT NULL,
      answer BLOB,
      PRIMARY KEY (state, task)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX applied_by_time ON applied (time_ms);

    -- Blocks on their way to the block store, oldest first.
    CREATE TABLE journal (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      cid BLOB NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX journal_by_cid ON journal (cid);
    `,
  ],
};

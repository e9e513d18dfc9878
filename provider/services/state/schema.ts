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
    `
    -- Messages that commits sent, oldest first, until they are delivered. Nothing is ever sent but by a commit.
    CREATE TABLE outbox (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      state INTEGER NOT NULL,
      recipient TEXT NOT NULL,
      id BLOB NOT NULL,
      time_ms INTEGER NOT NULL,
      -- The encoded message; NULL when it is given up.
      message BLOB,
      bytes INTEGER NOT NULL,
      ended_ms INTEGER,
      -- Why it is given up: the code of an error, and its words.
      code TEXT,
      reason TEXT
    ) STRICT;
    CREATE INDEX outbox_waiting ON outbox (state, recipient, sequence) WHERE ended_ms IS NULL;
    CREATE INDEX outbox_ended ON outbox (state, ended_ms) WHERE ended_ms IS NOT NULL;

    -- Messages that came to services, for as long as they could come again.
    CREATE TABLE delivered (
      state INTEGER NOT NULL,
      message BLOB NOT NULL,
      commit_cid BLOB,
      expires_ms INTEGER NOT NULL,
      PRIMARY KEY (state, message)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX delivered_by_time ON delivered (expires_ms);
    `,
    `
    -- Blocks of states stay here; they were on their way to files before.
    CREATE TABLE blocks (
      id INTEGER PRIMARY KEY,
      multihash BLOB NOT NULL UNIQUE,
      bytes BLOB NOT NULL
    ) STRICT;
    INSERT OR IGNORE INTO blocks (multihash, bytes) SELECT substr(cid, 3), bytes FROM journal ORDER BY id;
    DROP TABLE journal;
    `,
  ],
};

import type { Schema } from '../store/sqlite/index.ts';

/**
 * `receipts` is also the redo log of `accounts`: a settlement only appends one row to it. Rows up to `receipts_folded`
 * are contained in `accounts`, `receipt_keys` and `history`; the rest is folded in at the next checkpoint, or replayed
 * after a crash. So the cost of a commit does not depend on how many accounts and receipts there are.
 */
export const ledgerSchema: Schema = {
  name: 'ledger',
  steps: [
    `
    CREATE TABLE accounts (
      id INTEGER PRIMARY KEY,
      peer TEXT NOT NULL UNIQUE,
      blocks_sent INTEGER NOT NULL DEFAULT 0 CHECK (blocks_sent >= 0),
      blocks_recv INTEGER NOT NULL DEFAULT 0 CHECK (blocks_recv >= 0),
      work_sent INTEGER NOT NULL DEFAULT 0 CHECK (work_sent >= 0),
      work_recv INTEGER NOT NULL DEFAULT 0 CHECK (work_recv >= 0),
      exchanged INTEGER NOT NULL DEFAULT 0 CHECK (exchanged >= 0),
      ghost INTEGER NOT NULL DEFAULT 0 CHECK (ghost >= 0),
      forgiven INTEGER NOT NULL DEFAULT 0 CHECK (forgiven >= 0),
      -- Ledger time up to which the refresh of credit has been given.
      refreshed_ms INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE receipts (
      id INTEGER PRIMARY KEY,
      cid TEXT NOT NULL,
      account INTEGER NOT NULL,
      -- 0: work that we did for the peer. 1: work that the peer did for us. 2: blocks that we sent.
      entry INTEGER NOT NULL CHECK (entry IN (0, 1, 2)),
      price INTEGER NOT NULL CHECK (price >= 0),
      -- Ledger time, for the replay; time is for people.
      ledger_ms INTEGER NOT NULL,
      time INTEGER NOT NULL,
      -- NULL: forgotten by a prune; the row stays so that a replayed receipt is not counted again.
      bytes BLOB
    ) STRICT;

    -- Eight-byte digests of CIDs instead of an index on the text: a fifth of the size. Equal digests are told apart by text.
    CREATE TABLE receipt_keys (
      key INTEGER NOT NULL,
      receipt INTEGER NOT NULL,
      PRIMARY KEY (key, receipt)
    ) STRICT, WITHOUT ROWID;

    -- What changed, summed up by account and period.
    CREATE TABLE history (
      period INTEGER NOT NULL,
      account INTEGER NOT NULL,
      blocks_sent INTEGER NOT NULL,
      blocks_recv INTEGER NOT NULL,
      work_sent INTEGER NOT NULL,
      work_recv INTEGER NOT NULL,
      ghost INTEGER NOT NULL,
      forgiven INTEGER NOT NULL,
      PRIMARY KEY (period, account)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE ledger_state (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      receipts_folded INTEGER NOT NULL,
      ledger_ms INTEGER NOT NULL,
      wall_ms INTEGER NOT NULL,
      pool_used INTEGER NOT NULL,
      pool_ms INTEGER NOT NULL,
      -- Receipts up to this row were pruned.
      receipts_pruned INTEGER NOT NULL,
      -- History before these moments was merged into hours and into days.
      history_hours_ms INTEGER NOT NULL,
      history_days_ms INTEGER NOT NULL,
      -- The credit policy in use, as JSON: whoever reads the accounts from outside shows the same limits.
      policy TEXT NOT NULL
    ) STRICT;
    INSERT INTO ledger_state VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0, '{}');
    `,
    `
    -- The receipts of an account are a chain from the newest to the oldest: it costs a settlement nothing, where an index
    -- would touch a page of its own for each account. 0 ends the chain.
    ALTER TABLE receipts ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;
    UPDATE receipts SET previous = chain.previous
      FROM (SELECT id, lag(id, 1, 0) OVER (PARTITION BY account ORDER BY id) AS previous FROM receipts) AS chain
      WHERE receipts.id = chain.id;
    -- The newest receipt up to receipts_folded.
    ALTER TABLE accounts ADD COLUMN last_receipt INTEGER NOT NULL DEFAULT 0;
    UPDATE accounts SET last_receipt = newest.id
      FROM (SELECT account, max(id) AS id FROM receipts
            WHERE id <= (SELECT receipts_folded FROM ledger_state) GROUP BY account) AS newest
      WHERE accounts.id = newest.account;
    `,
    `
    -- Scores of the peers that are connected, for whoever reads the ledger from outside. Written anew as a whole.
    CREATE TABLE scores (
      peer TEXT PRIMARY KEY,
      score INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    `,
  ],
};

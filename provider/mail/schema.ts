import type { Schema } from '../store/index.ts';

export const mailSchema: Schema = {
  name: 'mail',
  steps: [
    `
    CREATE TABLE letters (
      box TEXT NOT NULL,
      author TEXT NOT NULL,
      id BLOB NOT NULL,
      thread BLOB NOT NULL,
      subject TEXT NOT NULL,
      time_ms INTEGER NOT NULL,
      kept_ms INTEGER NOT NULL,
      is_read INTEGER NOT NULL,
      -- NULL: removed. The row stays, so that the letter does not come back.
      document BLOB,
      PRIMARY KEY (box, author, id)
    ) STRICT;
    CREATE INDEX letters_by_time ON letters (box, kept_ms);
    CREATE INDEX letters_by_thread ON letters (thread);

    -- error NULL: it is at one of the recipient's mailboxes at least.
    CREATE TABLE deliveries (
      letter BLOB NOT NULL,
      recipient TEXT NOT NULL,
      is_sent INTEGER NOT NULL,
      error TEXT,
      PRIMARY KEY (letter, recipient)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE contacts (
      name TEXT PRIMARY KEY,
      peer TEXT NOT NULL UNIQUE,
      is_verified INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE blocked (peer TEXT PRIMARY KEY) STRICT;
    CREATE TABLE endpoints (position INTEGER PRIMARY KEY, peer TEXT NOT NULL, addrs TEXT NOT NULL) STRICT;
    `,
    `CREATE TABLE settings (one INTEGER PRIMARY KEY CHECK (one = 1), payer TEXT NOT NULL, accept TEXT NOT NULL) STRICT`,
    `
    -- 1: it was told to take nothing, and was neither closed nor told otherwise since.
    ALTER TABLE endpoints ADD COLUMN is_closing INTEGER NOT NULL DEFAULT 0;
    `,
  ],
};

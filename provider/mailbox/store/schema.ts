import type { Schema } from '../../store/index.ts';

export const mailboxSchema: Schema = {
  name: 'mailbox',
  steps: [
    `
    CREATE TABLE mailboxes (
      id INTEGER PRIMARY KEY,
      peer TEXT NOT NULL UNIQUE,
      accept TEXT NOT NULL,
      payer TEXT NOT NULL
    ) STRICT;

    -- 'allowed' or 'blocked'.
    CREATE TABLE rules (
      mailbox INTEGER NOT NULL,
      sender TEXT NOT NULL,
      rule TEXT NOT NULL,
      PRIMARY KEY (mailbox, sender)
    ) STRICT, WITHOUT ROWID;

    -- Times are mailbox time: it only grows, whatever the wall clock does.
    CREATE TABLE messages (
      -- Never used twice: an acknowledgement that comes late must not mean another message.
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      mailbox INTEGER NOT NULL,
      sender TEXT NOT NULL,
      id BLOB NOT NULL,
      put_ms INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL,
      -- What the recipient was charged.
      price INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX messages_by_id ON messages (mailbox, sender, id);
    CREATE INDEX messages_by_mailbox ON messages (mailbox, sequence);
    CREATE INDEX messages_by_expiry ON messages (expires_ms);

    -- What is known of messages that are gone.
    CREATE TABLE ended (
      mailbox INTEGER NOT NULL,
      sender TEXT NOT NULL,
      id BLOB NOT NULL,
      state TEXT NOT NULL,
      ended_ms INTEGER NOT NULL,
      forget_ms INTEGER NOT NULL,
      PRIMARY KEY (mailbox, sender, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX ended_by_forget ON ended (forget_ms);

    -- Sums of what waits: of a sender in a mailbox, of a mailbox (sender ''), of all (mailbox 0).
    CREATE TABLE usage (
      mailbox INTEGER NOT NULL,
      sender TEXT NOT NULL,
      messages INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      PRIMARY KEY (mailbox, sender)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE clock (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      mailbox_ms INTEGER NOT NULL,
      wall_ms INTEGER NOT NULL
    ) STRICT;
    `,
    `
    -- Files that messages name, as roots of DAGs in the block store.
    CREATE TABLE held (
      root BLOB NOT NULL,
      sender TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      expires_ms INTEGER NOT NULL,
      PRIMARY KEY (root, sender)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX held_by_sender ON held (sender);
    `,
    `
    ALTER TABLE mailboxes ADD COLUMN is_open INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE mailboxes ADD COLUMN closed_ms INTEGER NOT NULL DEFAULT 0;
    -- Messages up to this sequence were here when it was closed: nobody gets them, whether it is opened again or not. 0: none
    -- is left. The row stays until nothing refers to it.
    ALTER TABLE mailboxes ADD COLUMN closed_sequence INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX mailboxes_closed ON mailboxes (closed_sequence) WHERE closed_sequence > 0;
    CREATE INDEX mailboxes_to_forget ON mailboxes (id) WHERE is_open = 0;
    `,
    `
    -- Ids are never used twice: who still has the one of a mailbox that is gone, to read it or to acknowledge, must not mean
    -- somebody else's.
    CREATE TABLE mailboxes_new (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      peer TEXT NOT NULL UNIQUE,
      accept TEXT NOT NULL,
      payer TEXT NOT NULL,
      is_open INTEGER NOT NULL DEFAULT 1,
      closed_ms INTEGER NOT NULL DEFAULT 0,
      closed_sequence INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    INSERT INTO mailboxes_new SELECT id, peer, accept, payer, is_open, closed_ms, closed_sequence FROM mailboxes;
    DROP TABLE mailboxes;
    ALTER TABLE mailboxes_new RENAME TO mailboxes;
    CREATE INDEX mailboxes_closed ON mailboxes (closed_sequence) WHERE closed_sequence > 0;
    CREATE INDEX mailboxes_to_forget ON mailboxes (id) WHERE is_open = 0;
    `,
  ],
};

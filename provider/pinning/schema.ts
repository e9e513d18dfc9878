import type { Schema } from '../store/index.ts';

export const pinsSchema: Schema = {
  name: 'pins',
  steps: [
    `CREATE TABLE pins (
       id TEXT NOT NULL UNIQUE,
       owner TEXT NOT NULL,
       root BLOB NOT NULL,
       cid TEXT NOT NULL,
       name TEXT,
       folded TEXT,
       origins TEXT NOT NULL,
       meta TEXT NOT NULL,
       created_ms INTEGER NOT NULL UNIQUE,
       status TEXT NOT NULL,
       blocks INTEGER NOT NULL,
       bytes INTEGER NOT NULL,
       attempts INTEGER NOT NULL,
       next_ms INTEGER,
       error_code TEXT,
       error TEXT,
       pinned_ms INTEGER
     ) STRICT;
     CREATE TABLE tokens (
       id TEXT PRIMARY KEY,
       hash BLOB NOT NULL UNIQUE,
       owner TEXT NOT NULL,
       device TEXT NOT NULL,
       created_ms INTEGER NOT NULL,
       expires_ms INTEGER,
       used_ms INTEGER
     ) STRICT;
     CREATE INDEX tokens_owner ON tokens (owner);
     CREATE INDEX pins_owner ON pins (owner, created_ms);
     CREATE INDEX pins_root ON pins (root);
     CREATE INDEX pins_due ON pins (next_ms) WHERE next_ms IS NOT NULL`,
    `ALTER TABLE pins ADD COLUMN paid_until_ms INTEGER;
     ALTER TABLE pins ADD COLUMN paid_bytes INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE pins ADD COLUMN receipt BLOB;
     CREATE INDEX pins_paid ON pins (paid_until_ms) WHERE paid_until_ms IS NOT NULL`,
  ],
};

import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import { migrate, type Database, type Schema } from '../../store/index.ts';

const hostedSchema: Schema = {
  name: 'hosted',
  steps: [
    `CREATE TABLE hosted (
       service TEXT PRIMARY KEY,
       descriptor BLOB NOT NULL,
       maintainer TEXT NOT NULL,
       active INTEGER NOT NULL,
       added INTEGER NOT NULL
     ) STRICT`,
  ],
};

export interface HostedRow {
  service: string;
  descriptor: Uint8Array;
  maintainer: string;
  /** False once a descriptor no longer named us; the state is kept. */
  active: boolean;
}

/** Which services this provider hosts, across restarts. */
export class HostedTable {
  readonly #put: StatementSync;
  readonly #all: StatementSync;

  constructor(database: Database) {
    migrate(database, hostedSchema);
    const { sqlite } = database;
    this.#put = sqlite.prepare(
      `INSERT INTO hosted (service, descriptor, maintainer, active, added)
       VALUES (?, ?, ?, ?, (SELECT coalesce(max(added), 0) + 1 FROM hosted))
       ON CONFLICT (service) DO UPDATE SET descriptor = excluded.descriptor, maintainer = excluded.maintainer,
         active = excluded.active`,
    );
    this.#all = sqlite.prepare('SELECT * FROM hosted ORDER BY added');
  }

  put({ service, descriptor, maintainer, active }: HostedRow): void {
    this.#put.run(service, descriptor, maintainer, active ? 1 : 0);
  }

  all(): HostedRow[] {
    return this.#all.all().map(toRow);
  }
}

function toRow(row: Record<string, SQLOutputValue>): HostedRow {
  return {
    service: String(row['service']),
    descriptor: row['descriptor'] as Uint8Array,
    maintainer: String(row['maintainer']),
    active: row['active'] === 1,
  };
}

import type { SQLInputValue } from 'node:sqlite';
import type { Database } from '../../store/index.ts';

export type Row = Record<string, unknown>;

type Statement = ReturnType<Database['sqlite']['prepare']>;

/** Statements of one connection, each prepared once. */
export class Statements {
  readonly #database: Database;
  readonly #prepared = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values);
  }

  /** How many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): { changes: number; lastRowId: number } {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...values);
    return { changes: Number(changes), lastRowId: Number(lastInsertRowid) };
  }

  #prepare(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.sqlite.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

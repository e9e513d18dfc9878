import type { StatementSync } from 'node:sqlite';

import type { Database } from '../store/sqlite/index.ts';
import { integer } from './columns.ts';
import type { Totals } from './credit.ts';

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Recent history is kept by the minute, then by the hour, then by the day. */
const MINUTES_KEPT_MS = DAY_MS;
const HOURS_KEPT_MS = 30 * DAY_MS;

const SUMS = ['blocks_sent', 'blocks_recv', 'work_sent', 'work_recv', 'ghost', 'forgiven'] as const;
const ADD = SUMS.map((column) => `${column} = ${column} + excluded.${column}`).join(', ');

/** Writes the journal of account changes, and merges what is old into longer periods. */
export class HistoryWriter {
  readonly #add: StatementSync;
  readonly #merge: StatementSync;
  readonly #removeMerged: StatementSync;
  readonly #removeOld: StatementSync;
  readonly #oldest: StatementSync;
  readonly #done: StatementSync;
  readonly #setDone: StatementSync;
  #period = 0;

  constructor({ sqlite }: Database) {
    this.#add = sqlite.prepare(
      `INSERT INTO history (period, account, ${SUMS.join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (period, account) DO UPDATE SET ${ADD}`,
    );
    this.#merge = sqlite.prepare(
      `INSERT INTO history (period, account, ${SUMS.join(', ')})
       SELECT period - period % :length AS start, account, ${SUMS.map((column) => `sum(${column})`).join(', ')}
       FROM history WHERE period >= :from AND period < :to AND period % :length <> 0 GROUP BY start, account
       ON CONFLICT (period, account) DO UPDATE SET ${ADD}`,
    );
    this.#removeMerged = sqlite.prepare('DELETE FROM history WHERE period >= ? AND period < ? AND period % ? <> 0');
    this.#removeOld = sqlite.prepare('DELETE FROM history WHERE period < ?');
    this.#oldest = sqlite.prepare('SELECT min(period) AS oldest FROM history WHERE period >= ?');
    this.#done = sqlite.prepare('SELECT history_hours_ms AS hours, history_days_ms AS days FROM ledger_state');
    this.#setDone = sqlite.prepare('UPDATE ledger_state SET history_hours_ms = ?, history_days_ms = ?');
  }

  add(wallMs: number, account: number, change: Totals): void {
    const { blocksSent, blocksRecv, workSent, workRecv, ghost, forgiven } = change;
    if (blocksSent + blocksRecv + workSent + workRecv + ghost + forgiven === 0) return;
    const period = wallMs - (wallMs % MINUTE_MS);
    this.#add.run(period, account, blocksSent, blocksRecv, workSent, workRecv, ghost, forgiven);
  }

  /** Once a minute: at most one hour of minutes and one day of hours, so that no commit waits long. */
  tidy(wallMs: number, keptMs: number): void {
    const period = wallMs - (wallMs % MINUTE_MS);
    if (period === this.#period) return;
    this.#period = period;
    const row = this.#done.get() ?? {};
    const hours = this.#mergeOne(HOUR_MS, integer(row, 'hours'), wallMs - MINUTES_KEPT_MS);
    const days = this.#mergeOne(DAY_MS, integer(row, 'days'), Math.min(hours, wallMs - HOURS_KEPT_MS));
    this.#setDone.run(hours, days);
    this.#removeOld.run(wallMs - keptMs);
  }

  /** Answers up to where the merge has come. */
  #mergeOne(length: number, doneMs: number, endMs: number): number {
    const end = endMs - (endMs % length);
    const oldest = this.#oldest.get(doneMs)?.['oldest'];
    if (typeof oldest !== 'number' || oldest >= end) return Math.max(doneMs, end);
    const from = oldest - (oldest % length);
    const to = from + length;
    this.#merge.run({ length, from, to });
    this.#removeMerged.run(from, to, length);
    return to;
  }
}

import type { Database } from '../store/sqlite/index.ts';
import { integer, text } from './columns.ts';

/** What changed in one account during one period: a minute, and an hour or a day for what is long ago. */
export interface HistoryRow {
  /** Wall-clock start of the period. */
  periodMs: number;
  peer: string;
  blocksSent: number;
  blocksRecv: number;
  workSent: number;
  workRecv: number;
  ghost: number;
  forgiven: number;
}

export interface HistoryFilter {
  peer?: string;
  fromMs?: number;
  toMs?: number;
}

const PAGE_ROWS = 1_000;

/** The journal in order of time, as the last checkpoint left it. */
export function* readHistory(database: Database, filter: HistoryFilter = {}): Generator<HistoryRow> {
  const page = database.sqlite.prepare(
    `SELECT h.*, a.peer FROM history h JOIN accounts a ON a.id = h.account
     WHERE (h.period, h.account) > (:period, :account) AND h.period < :to AND (:peer IS NULL OR a.peer = :peer)
     ORDER BY h.period, h.account LIMIT ${PAGE_ROWS}`,
  );
  let period = filter.fromMs ?? 0;
  let account = -1;
  for (;;) {
    const rows = page.all({ period, account, to: filter.toMs ?? Number.MAX_SAFE_INTEGER, peer: filter.peer ?? null });
    for (const row of rows) {
      period = integer(row, 'period');
      account = integer(row, 'account');
      yield {
        periodMs: period,
        peer: text(row, 'peer'),
        blocksSent: integer(row, 'blocks_sent'),
        blocksRecv: integer(row, 'blocks_recv'),
        workSent: integer(row, 'work_sent'),
        workRecv: integer(row, 'work_recv'),
        ghost: integer(row, 'ghost'),
        forgiven: integer(row, 'forgiven'),
      };
    }
    if (rows.length < PAGE_ROWS) return;
  }
}

const CSV_COLUMNS = [
  'peer',
  'blocksSent',
  'blocksRecv',
  'workSent',
  'workRecv',
  'ghost',
  'forgiven',
] as const satisfies readonly (keyof HistoryRow)[];

/** The journal as lines of CSV, each with its line break. Peer ids and figures need no quoting. */
export function* historyCsv(rows: Iterable<HistoryRow>): Generator<string> {
  yield `time,${CSV_COLUMNS.join(',')}\n`;
  for (const row of rows) {
    yield `${new Date(row.periodMs).toISOString()},${CSV_COLUMNS.map((column) => row[column]).join(',')}\n`;
  }
}

import type { Database } from '../store/sqlite/index.ts';
import { ENTRIES, type Entry } from './batch.ts';
import { integer, text } from './columns.ts';
import { MINUTE_MS } from './history.ts';
import type { HistoryFilter, HistoryRow } from './read-history.ts';

/** What receipts alone changed in one account since the last checkpoint. */
export interface Unfolded {
  workSent: number;
  workRecv: number;
  blocksSent: number;
  exchanged: number;
  /** Its newest receipt. */
  last: number;
}

/** The receipts that are not folded into the accounts yet. */
export class Tail {
  /** By account id. */
  readonly accounts = new Map<number, Unfolded>();
  /** CID to row. */
  readonly cids = new Map<string, number>();
  lastId: number;

  constructor(lastId: number) {
    this.lastId = lastId;
  }

  add(account: number, entry: Entry, cid: string, price: number): number {
    const sums = this.#sums(account);
    sums[entry] += price;
    sums.exchanged += 1;
    this.lastId += 1;
    sums.last = this.lastId;
    this.cids.set(cid, this.lastId);
    return this.lastId;
  }

  /** Takes over everything from a later tail. */
  join(later: Tail): void {
    for (const [account, sums] of later.accounts) {
      const own = this.#sums(account);
      own.workSent += sums.workSent;
      own.workRecv += sums.workRecv;
      own.blocksSent += sums.blocksSent;
      own.exchanged += sums.exchanged;
      own.last = sums.last;
    }
    for (const [cid, row] of later.cids) this.cids.set(cid, row);
    this.lastId = later.lastId;
  }

  #sums(account: number): Unfolded {
    let sums = this.accounts.get(account);
    if (sums === undefined) {
      sums = { workSent: 0, workRecv: 0, blocksSent: 0, exchanged: 0, last: 0 };
      this.accounts.set(account, sums);
    }
    return sums;
  }
}

export interface TailRow {
  id: number;
  account: number;
  cid: string;
  entry: Entry;
  price: number;
  ledgerMs: number;
  wallMs: number;
}

/** The unfolded receipts in the order in which they were settled: what a crash left for us to replay. */
export function* readTail(database: Database): Generator<TailRow> {
  const rows = database.sqlite
    .prepare(
      `SELECT id, account, cid, entry, price, ledger_ms, time
       FROM receipts WHERE id > (SELECT receipts_folded FROM ledger_state) ORDER BY id`,
    )
    .iterate();
  for (const row of rows) {
    yield {
      id: integer(row, 'id'),
      account: integer(row, 'account'),
      cid: text(row, 'cid'),
      entry: ENTRIES[integer(row, 'entry')] ?? 'workSent',
      price: integer(row, 'price'),
      ledgerMs: integer(row, 'ledger_ms'),
      wallMs: integer(row, 'time'),
    };
  }
}

/** The journal with the rows that the next checkpoint will add to it. */
export function* withTail(
  journal: Iterable<HistoryRow>,
  tail: Iterable<TailRow>,
  peerOf: (account: number) => string,
  { peer, fromMs = 0, toMs = Number.MAX_SAFE_INTEGER }: HistoryFilter,
): Generator<HistoryRow> {
  const added = new Map<string, HistoryRow>();
  for (const row of tail) {
    const periodMs = row.wallMs - (row.wallMs % MINUTE_MS);
    const its = peerOf(row.account);
    if ((peer !== undefined && peer !== its) || periodMs < fromMs || periodMs >= toMs) continue;
    const key = `${periodMs} ${its}`;
    const sums = added.get(key) ?? emptyRow(periodMs, its);
    sums[row.entry] += row.price;
    added.set(key, sums);
  }
  for (const row of journal) {
    const key = `${row.periodMs} ${row.peer}`;
    const sums = added.get(key);
    added.delete(key);
    yield sums === undefined
      ? row
      : {
          ...row,
          blocksSent: row.blocksSent + sums.blocksSent,
          workSent: row.workSent + sums.workSent,
          workRecv: row.workRecv + sums.workRecv,
        };
  }
  yield* [...added.values()].sort((a, b) => a.periodMs - b.periodMs);
}

function emptyRow(periodMs: number, peer: string): HistoryRow {
  return { periodMs, peer, blocksSent: 0, blocksRecv: 0, workSent: 0, workRecv: 0, ghost: 0, forgiven: 0 };
}

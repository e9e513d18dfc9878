import type { Database } from '../store/sqlite/index.ts';
import { ENTRIES, type Entry } from './batch.ts';
import { integer, text } from './columns.ts';

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
  peer: string;
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
      `SELECT r.id, r.account, a.peer, r.cid, r.entry, r.price, r.ledger_ms, r.time
       FROM receipts r JOIN accounts a ON a.id = r.account
       WHERE r.id > (SELECT receipts_folded FROM ledger_state) ORDER BY r.id`,
    )
    .iterate();
  for (const row of rows) {
    yield {
      id: integer(row, 'id'),
      account: integer(row, 'account'),
      peer: text(row, 'peer'),
      cid: text(row, 'cid'),
      entry: ENTRIES[integer(row, 'entry')] ?? 'workSent',
      price: integer(row, 'price'),
      ledgerMs: integer(row, 'ledger_ms'),
      wallMs: integer(row, 'time'),
    };
  }
}

import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { CID } from 'multiformats/cid';
import { migrate, transaction, type Database } from '../store/index.ts';
import { RESULTS_DEFAULT } from './limits.ts';
import { pinsSchema } from './schema.ts';
import type { Pin, PinFilter, PinPage, PinStatus } from './types.ts';

/** What changes about a pin. */
export type PinChange = Pick<
  Pin,
  'status' | 'blocks' | 'bytes' | 'attempts' | 'nextMs' | 'error' | 'pinnedMs' | 'paidUntilMs' | 'paidBytes' | 'receipt'
>;

/** All pins of a node, across restarts. Every change is on the disk when it returns. */
export class PinTable {
  readonly #database: Database;
  readonly #insert: StatementSync;
  readonly #get: StatementSync;
  readonly #delete: StatementSync;
  readonly #change: StatementSync;
  readonly #newest: StatementSync;
  readonly #count: StatementSync;
  readonly #countAll: StatementSync;
  readonly #due: StatementSync;
  readonly #next: StatementSync;
  readonly #kept: StatementSync;
  readonly #retryNow: StatementSync;
  readonly #ending: StatementSync;

  constructor(database: Database) {
    migrate(database, pinsSchema);
    this.#database = database;
    const { sqlite } = database;
    // What the last process was fetching.
    sqlite.exec("UPDATE pins SET status = 'queued' WHERE next_ms IS NOT NULL AND status = 'pinning'");
    this.#insert = sqlite.prepare(
      `INSERT INTO pins (id, owner, root, cid, name, folded, origins, meta, created_ms, status, blocks, bytes, attempts, next_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, 0, 0, ?)`,
    );
    this.#get = sqlite.prepare('SELECT * FROM pins WHERE id = ?');
    this.#delete = sqlite.prepare('DELETE FROM pins WHERE id = ?');
    this.#change = sqlite.prepare(
      `UPDATE pins SET status = ?, blocks = ?, bytes = ?, attempts = ?, next_ms = ?, error_code = ?, error = ?, pinned_ms = ?,
         paid_until_ms = ?, paid_bytes = ?, receipt = ?
       WHERE id = ?`,
    );
    this.#newest = sqlite.prepare('SELECT max(created_ms) AS ms FROM pins');
    this.#count = sqlite.prepare('SELECT count(*) AS n FROM pins WHERE owner = ?');
    this.#countAll = sqlite.prepare('SELECT count(*) AS n FROM pins');
    // The longest waiting pin of each owner: who has many does not make others wait.
    this.#due = sqlite.prepare(
      'SELECT owner, id, min(next_ms) AS next_ms FROM pins WHERE next_ms <= ? AND id NOT IN (SELECT value FROM json_each(?)) GROUP BY owner',
    );
    this.#next = sqlite.prepare('SELECT min(next_ms) AS ms FROM pins WHERE next_ms > ?');
    this.#ending = sqlite.prepare('SELECT * FROM pins WHERE paid_until_ms < ? ORDER BY paid_until_ms LIMIT 1000');
    this.#retryNow = sqlite.prepare(
      "UPDATE pins SET next_ms = ? WHERE owner = ? AND status = 'failed' AND next_ms > ?",
    );
    this.#kept = sqlite.prepare(
      "SELECT rowid, root FROM pins WHERE rowid > ? AND (status = 'pinned' OR next_ms IS NOT NULL) ORDER BY rowid LIMIT 1000",
    );
  }

  /** What a peer owns and failed is due now. False when there is nothing. */
  retryNow(owner: string, nowMs: number): boolean {
    return this.#retryNow.run(nowMs, owner, nowMs).changes > 0;
  }

  /** `createdMs` is moved a little when it is taken: pages are cut by it, so no two pins have the same. */
  add(pin: Omit<Pin, 'createdMs' | 'status' | 'blocks' | 'bytes' | 'attempts' | 'paidBytes'>, nowMs: number): Pin {
    const newest = Number(this.#newest.get()?.['ms'] ?? 0);
    const createdMs = Math.max(nowMs, newest + 1);
    const { id, owner, root, cid, name, origins, meta } = pin;
    const texts = [name ?? null, name?.toLowerCase() ?? null, JSON.stringify(origins), JSON.stringify(meta)];
    this.#insert.run(id, owner, toV1(root).bytes, cid, ...texts, createdMs, createdMs);
    return this.get(id)!;
  }

  /** The new pin in place of the old one, or neither. */
  replace(before: string, pin: Parameters<PinTable['add']>[0], nowMs: number): Pin {
    return transaction(this.#database, () => {
      const added = this.add(pin, nowMs);
      this.remove(before);
      return added;
    });
  }

  get(id: string): Pin | undefined {
    const row = this.#get.get(id);
    return row === undefined ? undefined : toPin(row);
  }

  remove(id: string): boolean {
    return this.#delete.run(id).changes > 0;
  }

  change(pin: Pin, change: Partial<PinChange>): void {
    const next = { ...pin, ...change };
    const { status, blocks, bytes, attempts, nextMs, error, pinnedMs, paidUntilMs, paidBytes, receipt } = next;
    const reason = [error?.code ?? null, error?.message ?? null];
    const paid = [paidUntilMs ?? null, paidBytes, receipt ?? null];
    this.#change.run(status, blocks, bytes, attempts, nextMs ?? null, ...reason, pinnedMs ?? null, ...paid, pin.id);
  }

  count(owner?: string): number {
    return Number((owner === undefined ? this.#countAll.get() : this.#count.get(owner))?.['n']);
  }

  /** The newest first. Without an owner those of all. */
  list(owner: string | undefined, filter: PinFilter): PinPage {
    const { where, values } = toSql(owner, filter);
    const { sqlite } = this.#database;
    const found = sqlite.prepare(`SELECT count(*) AS n FROM pins WHERE ${where}`).get(...values);
    const rows = sqlite
      .prepare(`SELECT * FROM pins WHERE ${where} ORDER BY created_ms DESC LIMIT ?`)
      .all(...values, filter.limit ?? RESULTS_DEFAULT);
    return { count: Number(found?.['n']), pins: rows.map(toPin) };
  }

  /** What is to be fetched now: of each owner the pin that waits longest. */
  due(nowMs: number, except: Iterable<string>): { id: string; owner: string; nextMs: number }[] {
    const rows = this.#due.all(nowMs, JSON.stringify([...except]));
    return rows.map((row) => ({
      id: String(row['id']),
      owner: String(row['owner']),
      nextMs: Number(row['next_ms']),
    }));
  }

  /** When something is due after `nowMs`. */
  nextDueMs(nowMs: number): number | undefined {
    const ms = this.#next.get(nowMs)?.['ms'];
    return typeof ms === 'number' ? ms : undefined;
  }

  /** Pins whose paid time ends before this. */
  endingBefore(ms: number): Pin[] {
    return this.#ending.all(ms).map(toPin);
  }

  /** Roots of everything that is pinned or will be. */
  *roots(): Generator<CID> {
    let after = 0;
    for (;;) {
      const rows = this.#kept.all(after);
      for (const row of rows) {
        after = Number(row['rowid']);
        yield CID.decode(row['root'] as Uint8Array);
      }
      if (rows.length === 0) return;
    }
  }
}

function toSql(owner: string | undefined, filter: PinFilter): { where: string; values: SQLInputValue[] } {
  const clauses: string[] = ['1'];
  const values: SQLInputValue[] = [];
  const add = (clause: string, ...more: SQLInputValue[]): void => {
    clauses.push(clause);
    values.push(...more);
  };
  const { cids, name, match = 'exact', statuses, beforeMs, afterMs, meta } = filter;
  if (owner !== undefined) add('owner = ?', owner);
  if (cids !== undefined) {
    add(`root IN (${cids.map(() => '?').join(', ')})`, ...cids.map((cid) => toV1(cid).bytes));
  }
  if (name !== undefined) {
    const column = match.startsWith('i') ? 'folded' : 'name';
    const text = match.startsWith('i') ? name.toLowerCase() : name;
    add(match.endsWith('partial') ? `instr(${column}, ?) > 0` : `${column} = ?`, text);
  }
  if (statuses !== undefined) add(`status IN (${statuses.map(() => '?').join(', ')})`, ...statuses);
  if (beforeMs !== undefined) add('created_ms < ?', beforeMs);
  if (afterMs !== undefined) add('created_ms > ?', afterMs);
  for (const [key, value] of Object.entries(meta ?? {})) {
    add('(SELECT value FROM json_each(meta) WHERE key = ?) = ?', key, value);
  }
  return { where: clauses.join(' AND '), values };
}

/** One DAG has one form here, however its root was written. */
function toV1(cid: CID): CID {
  return CID.createV1(cid.code, cid.multihash);
}

function toPin(row: Record<string, SQLOutputValue>): Pin {
  const {
    name,
    next_ms: nextMs,
    error_code: code,
    error,
    pinned_ms: pinnedMs,
    paid_until_ms: paidUntilMs,
    receipt,
  } = row;
  return {
    id: String(row['id']),
    owner: String(row['owner']),
    root: CID.decode(row['root'] as Uint8Array),
    cid: String(row['cid']),
    ...(name === null ? {} : { name: String(name) }),
    origins: JSON.parse(String(row['origins'])) as string[],
    meta: JSON.parse(String(row['meta'])) as Record<string, string>,
    createdMs: Number(row['created_ms']),
    status: String(row['status']) as PinStatus,
    blocks: Number(row['blocks']),
    bytes: Number(row['bytes']),
    attempts: Number(row['attempts']),
    ...(nextMs === null ? {} : { nextMs: Number(nextMs) }),
    ...(code === null ? {} : { error: { code: String(code), message: String(error) } }),
    paidBytes: Number(row['paid_bytes']),
    ...(paidUntilMs === null ? {} : { paidUntilMs: Number(paidUntilMs) }),
    ...(receipt === null ? {} : { receipt: receipt as Uint8Array }),
    ...(pinnedMs === null ? {} : { pinnedMs: Number(pinnedMs) }),
  };
}

import { extname } from 'node:path';
import { LedgerTime, systemClock, type LedgerClock } from '../../ledger/index.ts';
import { migrate, openWriteTarget, type Database, type WriteTarget } from '../../store/index.ts';
import { MailboxError } from '../errors.ts';
import { DOWNTIME_MS_MAX, type MailboxLimits } from '../limits.ts';
import type {
  MailboxFigures,
  MailboxTotals,
  Message,
  MessageHead,
  MessageState,
  MessageStatus,
  Payer,
  Waiting,
} from '../types.ts';
import type { Batch, Operation, Result } from './operations.ts';
import { mailboxSchema } from './schema.ts';

type Statement = ReturnType<Database['sqlite']['prepare']>;
type Row = Record<string, unknown>;

/** Operations of one transaction, and bytes of their bodies. */
const BATCH_OPERATIONS_MAX = 2_048;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const EMPTY = new Uint8Array();

interface Queued {
  operation: Operation;
  done: PromiseWithResolvers<Result>;
}

/** Messages on the disk. Changes go through a queue: whatever is there when a commit ends becomes the next one. */
export class MailboxStore {
  readonly #database: Database;
  readonly #target: WriteTarget<Batch, Result[]>;
  readonly #limits: MailboxLimits;
  readonly #time: LedgerTime;
  #queue: Queued[] = [];
  #committing: Promise<void> | undefined;
  #closed = false;
  readonly #mailbox: Statement;
  readonly #peers: Statement;
  readonly #waiting: Statement;
  readonly #heads: Statement;
  readonly #body: Statement;
  readonly #status: Statement;
  readonly #nextExpiry: Statement;
  readonly #totals: Statement;
  readonly #largest: Statement;

  private constructor(
    database: Database,
    target: WriteTarget<Batch, Result[]>,
    limits: MailboxLimits,
    clock: LedgerClock,
  ) {
    this.#database = database;
    this.#target = target;
    this.#limits = limits;
    const { sqlite } = database;
    const row = sqlite.prepare('SELECT mailbox_ms, wall_ms FROM clock').get();
    const stored = row && { ledgerMs: Number(row['mailbox_ms']), wallMs: Number(row['wall_ms']) };
    this.#time = new LedgerTime(clock, stored, DOWNTIME_MS_MAX);
    this.#mailbox = sqlite.prepare('SELECT id, payer FROM mailboxes WHERE peer = ? AND is_open = 1');
    this.#peers = sqlite.prepare('SELECT peer FROM mailboxes WHERE is_open = 1');
    this.#waiting = sqlite.prepare(`SELECT messages, bytes FROM usage WHERE mailbox = ? AND sender = ''`);
    this.#heads = sqlite.prepare(
      `SELECT sequence, sender, id, bytes, put_ms, expires_ms, price FROM messages
       WHERE mailbox = ?1 AND sequence > max(?2, (SELECT closed_sequence FROM mailboxes WHERE id = ?1)) AND expires_ms > ?3
       ORDER BY sequence LIMIT ?4`,
    );
    this.#body = sqlite.prepare('SELECT body FROM messages WHERE sequence = ?');
    this.#status = sqlite.prepare(
      `SELECT CASE WHEN sequence <= closed_sequence THEN 'closed' WHEN expires_ms <= ?4 THEN 'expired' ELSE 'waiting' END
           AS state,
         CASE WHEN sequence <= closed_sequence THEN closed_ms WHEN expires_ms <= ?4 THEN expires_ms ELSE put_ms END
           AS since_ms
         FROM mailboxes JOIN messages ON mailbox = mailboxes.id WHERE peer = ?1 AND sender = ?2 AND messages.id = ?3
       UNION ALL SELECT state, ended_ms FROM mailboxes JOIN ended ON mailbox = mailboxes.id
         WHERE peer = ?1 AND sender = ?2 AND ended.id = ?3`,
    );
    this.#nextExpiry = sqlite.prepare(
      `SELECT min(at) AS at FROM (SELECT min(expires_ms) AS at FROM messages
       UNION ALL SELECT min(forget_ms) FROM ended UNION ALL SELECT min(expires_ms) FROM held
       UNION ALL SELECT min(0) FROM mailboxes WHERE closed_sequence > 0)`,
    );
    this.#totals = sqlite.prepare(
      `SELECT (SELECT count(*) FROM mailboxes WHERE is_open = 1) AS mailboxes, messages, bytes,
         (SELECT count(*) FROM held) AS files, (SELECT coalesce(sum(bytes), 0) FROM held) AS files_bytes
       FROM (SELECT 0 AS mailbox, '' AS sender) LEFT JOIN usage USING (mailbox, sender)`,
    );
    this.#largest = sqlite.prepare(
      `SELECT peer, payer, messages, bytes,
         (SELECT put_ms FROM messages WHERE mailbox = m.id AND sequence > m.closed_sequence ORDER BY sequence LIMIT 1)
           AS put_ms
       FROM (SELECT mailboxes.*, coalesce(messages, 0) AS messages, coalesce(bytes, 0) AS bytes
         FROM mailboxes LEFT JOIN usage ON mailbox = mailboxes.id AND sender = ''
         WHERE is_open = 1 ORDER BY bytes DESC LIMIT ?) AS m`,
    );
  }

  /** @throws StoreError */
  static async open(
    database: Database,
    limits: MailboxLimits,
    clock: LedgerClock = systemClock,
  ): Promise<MailboxStore> {
    migrate(database, mailboxSchema);
    const module = new URL(`./writer${extname(import.meta.filename)}`, import.meta.url);
    return new MailboxStore(database, await openWriteTarget(database, module), limits, clock);
  }

  /** Milliseconds of mailbox time. */
  nowMs(): number {
    return this.#time.nowMs();
  }

  /**
   * Resolves when the operation is durable; those of one caller are carried out in their order.
   * @throws StoreError, of the whole commit; MailboxError as the store decides
   */
  async run<Is extends Result['is']>(operation: Operation): Promise<Extract<Result, { is: Is }>> {
    if (this.#closed) throw new MailboxError('SHUTTING_DOWN', 'The provider is stopping. Try again later.');
    const done = Promise.withResolvers<Result>();
    this.#queue.push({ operation, done });
    this.#committing ??= this.#commitAll();
    const result = await done.promise;
    if (result.is === 'refused') throw new MailboxError(result.code, result.message);
    return result as Extract<Result, { is: Is }>;
  }

  mailboxOf(peer: string): { id: number; payer: Payer } | undefined {
    const row = this.#mailbox.get(peer);
    return row && { id: Number(row['id']), payer: row['payer'] as Payer };
  }

  peers(): string[] {
    return this.#peers.all().map((row) => row['peer'] as string);
  }

  /** Binary CIDs of the files that are kept. */
  *held(): Generator<Uint8Array> {
    const roots = this.#database.sqlite.prepare('SELECT DISTINCT root FROM held');
    for (const row of roots.iterate()) yield row['root'] as Uint8Array;
  }

  waiting(mailbox: number): Waiting {
    const row = this.#waiting.get(mailbox);
    return { messages: Number(row?.['messages'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  /** In order, from behind `after`; what has expired is left out. */
  heads(mailbox: number, after: number, limit: number): MessageHead[] {
    const nowMs = this.nowMs();
    return this.#heads.all(mailbox, after, nowMs, limit).map((row) => toHead(row, nowMs));
  }

  /** The message of a head; undefined when it is gone by now. */
  message(head: MessageHead): Message | undefined {
    const row = this.#body.get(head.sequence);
    return row && { ...head, body: row['body'] as Uint8Array };
  }

  /** Of a message to a peer, whose mailbox may be closed by now. */
  status(peer: string, sender: string, id: Uint8Array): MessageStatus {
    const nowMs = this.nowMs();
    const row = this.#status.get(peer, sender, id, nowMs);
    if (row === undefined) return { state: 'unknown' };
    return { state: row['state'] as MessageState, sinceMs: Math.max(0, nowMs - Number(row['since_ms'])) };
  }

  totals(): MailboxTotals {
    const row = this.#totals.get();
    const of = (name: string): number => Number(row?.[name] ?? 0);
    return {
      mailboxes: of('mailboxes'),
      messages: of('messages'),
      bytes: of('bytes'),
      files: of('files'),
      filesBytes: of('files_bytes'),
    };
  }

  /** Those that take most first. */
  largest(limit: number): MailboxFigures[] {
    const nowMs = this.nowMs();
    return this.#largest.all(limit).map((row) => ({
      peer: row['peer'] as string,
      payer: row['payer'] as Payer,
      messages: Number(row['messages']),
      bytes: Number(row['bytes']),
      ...(row['put_ms'] === null ? {} : { oldestMs: Math.max(0, nowMs - Number(row['put_ms'])) }),
    }));
  }

  /** Milliseconds until something expires or can be forgotten; undefined when nothing is there. */
  nextExpiryMs(): number | undefined {
    const at = this.#nextExpiry.get()?.['at'];
    return typeof at === 'number' ? Math.max(0, at - this.nowMs()) : undefined;
  }

  /** Takes nothing more; resolves when what was asked for is committed. */
  async drain(): Promise<void> {
    this.#closed = true;
    await this.#committing;
  }

  async close(): Promise<void> {
    await this.drain();
    await this.#target.close();
    this.#database.close();
  }

  async #commitAll(): Promise<void> {
    // What arrives in this turn of the event loop belongs together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const taken = this.#takeBatch();
      const { batch, transfer } = this.#toBatch(taken);
      try {
        const results = await this.#target.write(batch, transfer);
        for (const [i, { done }] of taken.entries()) done.resolve(results[i]!);
      } catch (error) {
        for (const { done } of taken) done.reject(error);
      }
    }
    this.#committing = undefined;
  }

  #takeBatch(): Queued[] {
    let bytes = 0;
    let count = 0;
    for (const { operation } of this.#queue) {
      bytes += operation.do === 'put' ? operation.put.body.length : 0;
      if (count > 0 && (count >= BATCH_OPERATIONS_MAX || bytes > BATCH_BYTES_MAX)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #toBatch(taken: readonly Queued[]): { batch: Batch; transfer: ArrayBuffer[] } {
    let length = 0;
    for (const { operation } of taken) length += operation.do === 'put' ? operation.put.body.length : 0;
    const bodies = new Uint8Array(length);
    const bodyEnds: number[] = [];
    let end = 0;
    const operations = taken.map(({ operation }): Operation => {
      if (operation.do !== 'put') return operation;
      const { body } = operation.put;
      bodies.set(body, end);
      end += body.length;
      bodyEnds.push(end);
      return { do: 'put', put: { ...operation.put, body: EMPTY } };
    });
    const times = { mailboxMs: this.nowMs(), wallMs: this.#time.wallMs() };
    return { batch: { operations, bodies, bodyEnds, limits: this.#limits, ...times }, transfer: [bodies.buffer] };
  }
}

function toHead(row: Row, nowMs: number): MessageHead {
  return {
    sequence: Number(row['sequence']),
    from: row['sender'] as string,
    id: row['id'] as Uint8Array,
    bytes: Number(row['bytes']),
    ageMs: Math.max(0, nowMs - Number(row['put_ms'])),
    expiresInMs: Number(row['expires_ms']) - nowMs,
    priceBytes: Number(row['price']),
  };
}

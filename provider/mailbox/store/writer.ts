import type { SQLInputValue } from 'node:sqlite';
import { transaction, type BatchWriter, type Database } from '../../store/index.ts';
import type { MailboxErrorCode } from '../errors.ts';
import { ACKNOWLEDGED_KEPT_MS, EXPIRED_KEPT_MS, MESSAGE_OVERHEAD_BYTES } from '../limits.ts';
import type { MessageState } from '../types.ts';
import type { Batch, Operation, Put, Result } from './operations.ts';

type Statement = ReturnType<Database['sqlite']['prepare']>;
type Row = Record<string, unknown>;

const ALL = 0;
const EVERYBODY = '';

/** The one that changes the store, and the only one that decides about quotas: it sees every change before the next. */
class MailboxWriter implements BatchWriter<Batch, Result[]> {
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  write(batch: Batch): Result[] {
    return transaction(this.#database, () => {
      this.#run(
        `INSERT INTO clock VALUES (1, ?, ?)
         ON CONFLICT (one) DO UPDATE SET mailbox_ms = excluded.mailbox_ms, wall_ms = excluded.wall_ms`,
        batch.mailboxMs,
        batch.wallMs,
      );
      let puts = 0;
      return batch.operations.map((operation) => {
        if (operation.do !== 'put') return this.#change(operation, batch);
        const body = batch.bodies.subarray(batch.bodyEnds[puts - 1] ?? 0, batch.bodyEnds[puts]);
        puts++;
        return this.#put({ ...operation.put, body }, batch);
      });
    });
  }

  #change(operation: Exclude<Operation, { do: 'put' }>, batch: Batch): Result {
    if (operation.do === 'open') return this.#open(operation, batch);
    if (operation.do === 'hold') return this.#hold(operation, batch);
    if (operation.do === 'sweep') return this.#sweep(operation.rowsMax, batch.mailboxMs);
    return this.#acknowledge(operation.mailbox, operation.sequences, batch.mailboxMs);
  }

  #open({ peer, settings }: Extract<Operation, { do: 'open' }>, { limits }: Batch): Result {
    const known = this.#get('SELECT id FROM mailboxes WHERE peer = ?', peer);
    const count = Number(this.#get('SELECT count(*) AS n FROM mailboxes')?.['n']);
    if (known === undefined && count >= limits.mailboxesMax) {
      return refused('MAILBOX_LIMIT', 'This provider has as many mailboxes as it allows. Try another provider.');
    }
    const { accept, payer, allowed, blocked } = settings;
    this.#run(
      `INSERT INTO mailboxes (peer, accept, payer) VALUES (?, ?, ?)
       ON CONFLICT (peer) DO UPDATE SET accept = excluded.accept, payer = excluded.payer`,
      peer,
      accept,
      payer,
    );
    const mailbox = Number(this.#get('SELECT id FROM mailboxes WHERE peer = ?', peer)?.['id']);
    this.#run('DELETE FROM rules WHERE mailbox = ?', mailbox);
    for (const sender of allowed) this.#run(`INSERT OR REPLACE INTO rules VALUES (?, ?, 'allowed')`, mailbox, sender);
    for (const sender of blocked) this.#run(`INSERT OR REPLACE INTO rules VALUES (?, ?, 'blocked')`, mailbox, sender);
    return { is: 'opened', mailbox };
  }

  #put({ to, from, id, body, ttlMs, recipientPriceBytes }: Put, { limits, mailboxMs }: Batch): Result {
    const box = this.#get('SELECT id, accept FROM mailboxes WHERE peer = ?', to);
    if (box === undefined) return refused('MAILBOX_UNKNOWN', `${to} has no mailbox at this provider.`);
    const mailbox = Number(box['id']);
    const known = this.#stateOf(mailbox, from, id);
    if (known !== undefined) return { is: 'known', state: known };
    const rule = this.#get('SELECT rule FROM rules WHERE mailbox = ? AND sender = ?', mailbox, from)?.['rule'];
    if (rule === 'blocked' || (box['accept'] === 'allowed' && rule !== 'allowed')) {
      return refused('SENDER_REFUSED', `${to} takes no messages from you.`);
    }
    const bytes = body.length + MESSAGE_OVERHEAD_BYTES;
    const full = this.#isFull(mailbox, from, bytes, limits);
    if (full !== undefined) return full;
    const { lastInsertRowid } = this.#run(
      `INSERT INTO messages (mailbox, sender, id, put_ms, expires_ms, price, bytes, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      mailbox,
      from,
      id,
      mailboxMs,
      mailboxMs + ttlMs,
      recipientPriceBytes,
      body.length,
      body,
    );
    this.#count(mailbox, from, 1, bytes);
    return { is: 'stored', mailbox, sequence: Number(lastInsertRowid) };
  }

  #isFull(mailbox: number, from: string, bytes: number, limits: Batch['limits']): Result | undefined {
    const own = this.#usage(mailbox, from);
    if (own.messages >= limits.messagesPerSenderMax || own.bytes + bytes > limits.bytesPerSenderMax) {
      return refused(
        'SENDER_LIMIT',
        `${own.messages} messages of yours with ${own.bytes} bytes wait for this recipient already. Try again when some were taken.`,
      );
    }
    const box = this.#usage(mailbox, EVERYBODY);
    if (box.messages >= limits.messagesPerRecipientMax || box.bytes + bytes > limits.bytesPerRecipientMax) {
      return refused('MAILBOX_FULL', 'The mailbox of this recipient is full. Try again later, or another endpoint.');
    }
    if (this.#usage(ALL, EVERYBODY).bytes + bytes <= limits.bytesMax) return undefined;
    return refused('STORE_LIMIT', 'This provider keeps as many messages as it allows. Try another endpoint.');
  }

  #hold({ root, sender, bytes, ttlMs }: Extract<Operation, { do: 'hold' }>, { limits, mailboxMs }: Batch): Result {
    const sum = 'SELECT coalesce(sum(bytes), 0) AS bytes FROM held';
    const own = Number(this.#get(`${sum} WHERE sender = ?`, sender)?.['bytes']);
    if (own + bytes > limits.filesBytesPerSenderMax) {
      return refused('SENDER_LIMIT', `Files of yours with ${own} bytes are kept here already. Try again later.`);
    }
    if (Number(this.#get(sum)?.['bytes']) + bytes > limits.filesBytesMax) {
      return refused('STORE_LIMIT', 'This provider keeps as many files as it allows. Try another endpoint.');
    }
    this.#run(
      `INSERT INTO held VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET expires_ms = max(expires_ms, excluded.expires_ms)`,
      root,
      sender,
      bytes,
      mailboxMs + ttlMs,
    );
    return { is: 'held' };
  }

  #acknowledge(mailbox: number, sequences: readonly number[], nowMs: number): Result {
    let count = 0;
    for (const sequence of sequences) {
      const row = this.#get(
        'DELETE FROM messages WHERE sequence = ? AND mailbox = ? RETURNING sender, id, bytes, expires_ms',
        sequence,
        mailbox,
      );
      if (row === undefined) continue;
      const forgetMs = Math.max(Number(row['expires_ms']), nowMs + ACKNOWLEDGED_KEPT_MS);
      this.#end(mailbox, row, 'acknowledged', nowMs, forgetMs);
      count++;
    }
    return { is: 'acknowledged', count };
  }

  #sweep(rowsMax: number, nowMs: number): Result {
    const expired = this.#statement(
      `DELETE FROM messages WHERE sequence IN
         (SELECT sequence FROM messages WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)
       RETURNING mailbox, sender, id, bytes`,
    ).all(nowMs, rowsMax);
    for (const row of expired) this.#end(Number(row['mailbox']), row, 'expired', nowMs, nowMs + EXPIRED_KEPT_MS);
    const forgotten = this.#run(
      `DELETE FROM ended WHERE (mailbox, sender, id) IN
         (SELECT mailbox, sender, id FROM ended WHERE forget_ms <= ? LIMIT ?)`,
      nowMs,
      rowsMax,
    );
    const released = this.#run('DELETE FROM held WHERE expires_ms <= ?', nowMs);
    return { is: 'swept', count: expired.length + Number(forgotten.changes) + Number(released.changes) };
  }

  #end(mailbox: number, row: Row, state: MessageState, nowMs: number, forgetMs: number): void {
    const sender = row['sender'] as string;
    this.#run(
      'INSERT INTO ended VALUES (?, ?, ?, ?, ?, ?)',
      mailbox,
      sender,
      row['id'] as Uint8Array,
      state,
      nowMs,
      forgetMs,
    );
    this.#count(mailbox, sender, -1, -(Number(row['bytes']) + MESSAGE_OVERHEAD_BYTES));
  }

  #stateOf(mailbox: number, sender: string, id: Uint8Array): MessageState | undefined {
    const where = 'WHERE mailbox = ? AND sender = ? AND id = ?';
    if (this.#get(`SELECT 1 FROM messages ${where}`, mailbox, sender, id) !== undefined) return 'waiting';
    return this.#get(`SELECT state FROM ended ${where}`, mailbox, sender, id)?.['state'] as MessageState | undefined;
  }

  #usage(mailbox: number, sender: string): { messages: number; bytes: number } {
    const row = this.#get('SELECT messages, bytes FROM usage WHERE mailbox = ? AND sender = ?', mailbox, sender);
    return { messages: Number(row?.['messages'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  #count(mailbox: number, sender: string, messages: number, bytes: number): void {
    const places: [number, string][] = [
      [mailbox, sender],
      [mailbox, EVERYBODY],
      [ALL, EVERYBODY],
    ];
    for (const [box, who] of places) {
      this.#run(
        `INSERT INTO usage VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes`,
        box,
        who,
        messages,
        bytes,
      );
    }
    if (messages < 0) this.#run('DELETE FROM usage WHERE mailbox = ? AND sender = ? AND messages = 0', mailbox, sender);
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  #run(sql: string, ...values: SQLInputValue[]): ReturnType<Statement['run']> {
    return this.#statement(sql).run(...values);
  }
}

export function openWriter(database: Database): BatchWriter<Batch, Result[]> {
  return new MailboxWriter(database);
}

function refused(code: MailboxErrorCode, message: string): Result {
  return { is: 'refused', code, message };
}

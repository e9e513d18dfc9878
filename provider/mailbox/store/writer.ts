import { transaction, type BatchWriter, type Database } from '../../store/sqlite/index.ts';
import { ACKNOWLEDGED_KEPT_MS, EXPIRED_KEPT_MS, MESSAGE_OVERHEAD_BYTES } from '../limits.ts';
import type { MessageState } from '../types.ts';
import { Closing } from './closing.ts';
import { refused, type Batch, type Operation, type Put, type Result } from './operations.ts';
import { Statements, type Row } from './statements.ts';
import { sizeOf, Usage } from './usage.ts';

/** The one that changes the store, and the only one that decides about quotas: it sees every change before the next. */
class MailboxWriter implements BatchWriter<Batch, Result[]> {
  readonly #database: Database;
  readonly #sql: Statements;
  readonly #usage: Usage;
  readonly #closing: Closing;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = new Statements(database);
    this.#usage = new Usage(this.#sql);
    this.#closing = new Closing(this.#sql, this.#usage);
  }

  write(batch: Batch): Result[] {
    return transaction(this.#database, () => {
      this.#sql.run(
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
    if (operation.do === 'close') return this.#closing.close(operation.peer, batch.mailboxMs);
    if (operation.do === 'hold') return this.#hold(operation, batch);
    if (operation.do === 'sweep') return this.#sweep(operation.rowsMax, batch.mailboxMs);
    return this.#acknowledge(operation.mailbox, operation.sequences, batch.mailboxMs);
  }

  #open({ peer, settings }: Extract<Operation, { do: 'open' }>, { limits }: Batch): Result {
    const known = this.#sql.get('SELECT id FROM mailboxes WHERE peer = ?', peer);
    const count = Number(this.#sql.get('SELECT count(*) AS n FROM mailboxes')?.['n']);
    if (known === undefined && count >= limits.mailboxesMax) {
      return refused('MAILBOX_LIMIT', 'This provider has as many mailboxes as it allows. Try another provider.');
    }
    const { accept, payer, allowed, blocked } = settings;
    this.#sql.run(
      `INSERT INTO mailboxes (peer, accept, payer) VALUES (?, ?, ?)
       ON CONFLICT (peer) DO UPDATE SET accept = excluded.accept, payer = excluded.payer, is_open = 1`,
      peer,
      accept,
      payer,
    );
    const mailbox = Number(this.#sql.get('SELECT id FROM mailboxes WHERE peer = ?', peer)?.['id']);
    this.#sql.run('DELETE FROM rules WHERE mailbox = ?', mailbox);
    for (const sender of allowed)
      this.#sql.run(`INSERT OR REPLACE INTO rules VALUES (?, ?, 'allowed')`, mailbox, sender);
    for (const sender of blocked)
      this.#sql.run(`INSERT OR REPLACE INTO rules VALUES (?, ?, 'blocked')`, mailbox, sender);
    return { is: 'opened', mailbox };
  }

  #put({ to, from, id, body, ttlMs, recipientPriceBytes }: Put, { limits, mailboxMs }: Batch): Result {
    const box = this.#sql.get('SELECT id, accept FROM mailboxes WHERE peer = ? AND is_open = 1', to);
    if (box === undefined) return refused('MAILBOX_UNKNOWN', `${to} has no mailbox at this provider.`);
    const mailbox = Number(box['id']);
    const known = this.#stateOf(mailbox, from, id);
    if (known !== undefined && known !== 'closed') return { is: 'known', state: known };
    if (box['accept'] === 'nobody') {
      return refused(
        'MAILBOX_CLOSING',
        `${to} is closing this mailbox. Try again: its record names others then, or none.`,
      );
    }
    const rule = this.#sql.get('SELECT rule FROM rules WHERE mailbox = ? AND sender = ?', mailbox, from)?.['rule'];
    if (rule === 'blocked' || (box['accept'] === 'allowed' && rule !== 'allowed')) {
      return refused('SENDER_REFUSED', `${to} takes no messages from you.`);
    }
    const bytes = body.length + MESSAGE_OVERHEAD_BYTES;
    const full = this.#usage.refuse(mailbox, from, bytes, limits);
    if (full !== undefined) return full;
    // It waited in this mailbox before that was closed: now it is a new one.
    if (known === 'closed') this.#closing.forgetMessage(mailbox, from, id);
    const { lastRowId } = this.#sql.run(
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
    this.#usage.add(mailbox, from, bytes);
    return { is: 'stored', mailbox, sequence: lastRowId };
  }

  #hold({ root, sender, bytes, ttlMs }: Extract<Operation, { do: 'hold' }>, { limits, mailboxMs }: Batch): Result {
    const sum = 'SELECT coalesce(sum(bytes), 0) AS bytes FROM held';
    const own = Number(this.#sql.get(`${sum} WHERE sender = ?`, sender)?.['bytes']);
    if (own + bytes > limits.filesBytesPerSenderMax) {
      return refused('SENDER_LIMIT', `Files of yours with ${own} bytes are kept here already. Try again later.`);
    }
    if (Number(this.#sql.get(sum)?.['bytes']) + bytes > limits.filesBytesMax) {
      return refused('STORE_LIMIT', 'This provider keeps as many files as it allows. Try another endpoint.');
    }
    this.#sql.run(
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
      const row = this.#sql.get(
        `DELETE FROM messages WHERE sequence = ?1 AND mailbox = ?2
           AND sequence > (SELECT closed_sequence FROM mailboxes WHERE id = ?2) RETURNING sender, id, bytes, expires_ms`,
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
    const closed = this.#closing.sweep(rowsMax, nowMs);
    const expired = this.#sql.all(
      `DELETE FROM messages WHERE sequence IN
         (SELECT sequence FROM messages WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)
         AND sequence > (SELECT closed_sequence FROM mailboxes WHERE id = mailbox)
       RETURNING mailbox, sender, id, bytes`,
      nowMs,
      rowsMax,
    );
    for (const row of expired) this.#end(Number(row['mailbox']), row, 'expired', nowMs, nowMs + EXPIRED_KEPT_MS);
    const forgotten = this.#sql.run(
      `DELETE FROM ended WHERE (mailbox, sender, id) IN
         (SELECT mailbox, sender, id FROM ended WHERE forget_ms <= ? LIMIT ?)`,
      nowMs,
      rowsMax,
    );
    const released = this.#sql.run('DELETE FROM held WHERE expires_ms <= ?', nowMs);
    this.#closing.forgetMailboxes();
    const gone = forgotten.changes + released.changes;
    return { is: 'swept', expired: expired.length, count: closed + expired.length + gone };
  }

  #end(mailbox: number, row: Row, state: MessageState, nowMs: number, forgetMs: number): void {
    this.#remember(mailbox, row, state, nowMs, forgetMs);
    this.#usage.remove(mailbox, row['sender'] as string, sizeOf(row));
  }

  #remember(mailbox: number, row: Row, state: MessageState, endedMs: number, forgetMs: number): void {
    const [sender, id] = [row['sender'] as string, row['id'] as Uint8Array];
    this.#sql.run('INSERT INTO ended VALUES (?, ?, ?, ?, ?, ?)', mailbox, sender, id, state, endedMs, forgetMs);
  }

  #stateOf(mailbox: number, sender: string, id: Uint8Array): MessageState | undefined {
    const where = 'WHERE mailbox = ? AND sender = ? AND id = ?';
    const row = this.#sql.get(
      `SELECT sequence <= (SELECT closed_sequence FROM mailboxes WHERE id = mailbox) AS is_closed FROM messages ${where}`,
      mailbox,
      sender,
      id,
    );
    if (row !== undefined) return row['is_closed'] === 1 ? 'closed' : 'waiting';
    return this.#sql.get(`SELECT state FROM ended ${where}`, mailbox, sender, id)?.['state'] as
      | MessageState
      | undefined;
  }
}

export function openWriter(database: Database): BatchWriter<Batch, Result[]> {
  return new MailboxWriter(database);
}

import { EXPIRED_KEPT_MS } from '../limits.ts';
import { refused, type Result } from './operations.ts';
import type { Statements } from './statements.ts';
import { sizeOf, type Usage } from './usage.ts';

/**
 * Closes a mailbox at once, however much waits in it: nobody gets what was there, its senders are told so, and sweeps take it
 * away bit by bit.
 */
export class Closing {
  readonly #sql: Statements;
  readonly #usage: Usage;

  constructor(sql: Statements, usage: Usage) {
    this.#sql = sql;
    this.#usage = usage;
  }

  close(peer: string, nowMs: number): Result {
    const box = this.#sql.get('SELECT id, closed_sequence FROM mailboxes WHERE peer = ? AND is_open = 1', peer);
    if (box === undefined) return refused('MAILBOX_UNKNOWN', `${peer} has no mailbox at this provider.`);
    const [mailbox, before] = [Number(box['id']), Number(box['closed_sequence'])];
    const { messages } = this.#usage.of(mailbox);
    const sum = this.#sql.get(
      'SELECT coalesce(sum(price), 0) AS price, max(sequence) AS last FROM messages WHERE mailbox = ? AND sequence > ?',
      mailbox,
      before,
    );
    this.#sql.run(
      'UPDATE mailboxes SET is_open = 0, closed_ms = ?, closed_sequence = ? WHERE id = ?',
      nowMs,
      Number(sum?.['last'] ?? before),
      mailbox,
    );
    this.#sql.run('DELETE FROM rules WHERE mailbox = ?', mailbox);
    this.#usage.close(mailbox);
    this.forgetMailboxes();
    return { is: 'closed', messages, recipientPriceBytes: Number(sum?.['price']) };
  }

  /** Some of what waited in mailboxes that were closed; 0 when nothing is left. */
  sweep(rowsMax: number, nowMs: number): number {
    const box = this.#sql.get('SELECT id, closed_ms, closed_sequence FROM mailboxes WHERE closed_sequence > 0 LIMIT 1');
    if (box === undefined) return 0;
    const mailbox = Number(box['id']);
    const rows = this.#sql.all(
      `DELETE FROM messages WHERE sequence IN
         (SELECT sequence FROM messages WHERE mailbox = ? AND sequence <= ? ORDER BY sequence LIMIT ?)
       RETURNING sender, id, bytes`,
      mailbox,
      Number(box['closed_sequence']),
      rowsMax,
    );
    for (const row of rows) {
      this.#sql.run(
        `INSERT INTO ended VALUES (?, ?, ?, 'closed', ?, ?)`,
        mailbox,
        row['sender'] as string,
        row['id'] as Uint8Array,
        Number(box['closed_ms']),
        nowMs + EXPIRED_KEPT_MS,
      );
      this.#usage.removeClosed(sizeOf(row));
    }
    if (rows.length < rowsMax) this.#sql.run('UPDATE mailboxes SET closed_sequence = 0 WHERE id = ?', mailbox);
    return Math.max(1, rows.length);
  }

  /** Closed ones that nothing refers to any more. */
  forgetMailboxes(): void {
    this.#sql.run(
      `DELETE FROM mailboxes WHERE is_open = 0 AND closed_sequence = 0
         AND NOT EXISTS (SELECT 1 FROM ended WHERE mailbox = mailboxes.id)`,
    );
  }

  /** A message that is put again after its mailbox was closed and opened is a new one: what is left of the old one goes. */
  forgetMessage(mailbox: number, sender: string, id: Uint8Array): void {
    const where = 'WHERE mailbox = ? AND sender = ? AND id = ?';
    this.#sql.run(`DELETE FROM ended ${where}`, mailbox, sender, id);
    const row = this.#sql.get(`DELETE FROM messages ${where} RETURNING bytes`, mailbox, sender, id);
    if (row !== undefined) this.#usage.removeClosed(sizeOf(row));
  }
}

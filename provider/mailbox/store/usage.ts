import { MESSAGE_OVERHEAD_BYTES, type MailboxLimits } from '../limits.ts';
import type { Waiting } from '../types.ts';
import { refused, type Result } from './operations.ts';
import type { Row, Statements } from './statements.ts';

const ALL = 0;
const EVERYBODY = '';

/** What a message counts for. */
export function sizeOf(row: Row): number {
  return Number(row['bytes']) + MESSAGE_OVERHEAD_BYTES;
}

/** How much waits: of a sender in a mailbox, in a mailbox, in all. */
export class Usage {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Of a mailbox. */
  of(mailbox: number): Waiting {
    return this.#of(mailbox, EVERYBODY);
  }

  /** What one more message of this size is refused with. */
  refuse(mailbox: number, from: string, bytes: number, limits: MailboxLimits): Result | undefined {
    const own = this.#of(mailbox, from);
    if (own.messages >= limits.messagesPerSenderMax || own.bytes + bytes > limits.bytesPerSenderMax) {
      return refused(
        'SENDER_LIMIT',
        `${own.messages} messages of yours with ${own.bytes} bytes wait for this recipient already. Try again when some were taken.`,
      );
    }
    const box = this.of(mailbox);
    if (box.messages >= limits.messagesPerRecipientMax || box.bytes + bytes > limits.bytesPerRecipientMax) {
      return refused('MAILBOX_FULL', 'The mailbox of this recipient is full. Try again later, or another endpoint.');
    }
    if (this.of(ALL).bytes + bytes <= limits.bytesMax) return undefined;
    return refused('STORE_LIMIT', 'This provider keeps as many messages as it allows. Try another endpoint.');
  }

  add(mailbox: number, sender: string, bytes: number): void {
    for (const [box, who] of places(mailbox, sender)) this.#change(box, who, 1, bytes);
  }

  remove(mailbox: number, sender: string, bytes: number): void {
    for (const [box, who] of places(mailbox, sender)) this.#change(box, who, -1, -bytes);
    this.#sql.run('DELETE FROM usage WHERE mailbox = ? AND sender = ? AND messages = 0', mailbox, sender);
  }

  /** What waits in a mailbox counts for the store alone from here on. */
  close(mailbox: number): void {
    this.#sql.run('DELETE FROM usage WHERE mailbox = ?', mailbox);
  }

  removeClosed(bytes: number): void {
    this.#change(ALL, EVERYBODY, -1, -bytes);
  }

  #of(mailbox: number, sender: string): Waiting {
    const row = this.#sql.get('SELECT messages, bytes FROM usage WHERE mailbox = ? AND sender = ?', mailbox, sender);
    return { messages: Number(row?.['messages'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  #change(mailbox: number, sender: string, messages: number, bytes: number): void {
    this.#sql.run(
      `INSERT INTO usage VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes`,
      mailbox,
      sender,
      messages,
      bytes,
    );
  }
}

function places(mailbox: number, sender: string): [number, string][] {
  return [
    [mailbox, sender],
    [mailbox, EVERYBODY],
    [ALL, EVERYBODY],
  ];
}

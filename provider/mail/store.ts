import { migrate, transaction, type Database } from '../store/index.ts';
import { MailError } from './errors.ts';
import type { Letter } from './letter.ts';
import { CONTACT_NAME, CONTACTS_MAX } from './limits.ts';
import { mailSchema } from './schema.ts';

export type Box = 'in' | 'out';

export interface LetterRow {
  box: Box;
  author: string;
  id: Uint8Array;
  thread: Uint8Array;
  subject: string;
  timeMs: number;
  isRead: boolean;
}

export interface Contact {
  name: string;
  peer: string;
  /** Its owner was asked, on another way, whether this is the peer id. */
  isVerified: boolean;
}

export interface Delivery {
  recipient: string;
  isSent: boolean;
  error?: string;
}

/** What our mailboxes were told. */
export interface MailSettings {
  payer: 'sender' | 'recipient';
  /** Whose letters are taken. */
  accept: 'anyone' | 'contacts';
}

interface Endpoint {
  peer: string;
  addrs: string[];
}

type Row = Record<string, unknown>;
type Value = string | number | Uint8Array | null;

/** Letters, contacts and own mailboxes of one identity, in one file that only its owner reads. */
export class MailStore {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, mailSchema);
    this.#database = database;
  }

  close(): void {
    this.#database.close();
  }

  /** False when it is there already, or was. */
  add(box: Box, author: string, letter: Letter, document: Uint8Array, nowMs: number): boolean {
    const { id, thread, subject, timeMs, to } = letter;
    return transaction(this.#database, () => {
      const { changes } = this.#run(
        'INSERT OR IGNORE INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        box,
        author,
        id,
        thread,
        subject,
        timeMs,
        nowMs,
        box === 'out' ? 1 : 0,
        document,
      );
      if (box === 'out')
        for (const peer of to) this.#run('INSERT OR IGNORE INTO deliveries VALUES (?, ?, 0, NULL)', id, peer);
      return Number(changes) === 1;
    });
  }

  /** Newest first. */
  list({
    box,
    thread,
    limit = 100,
    offset = 0,
  }: {
    box?: Box;
    thread?: Uint8Array;
    limit?: number;
    offset?: number;
  }): LetterRow[] {
    const where = ['document IS NOT NULL'];
    const values: Value[] = [];
    if (box !== undefined) {
      where.push('box = ?');
      values.push(box);
    }
    if (thread !== undefined) {
      where.push('thread = ?');
      values.push(thread);
    }
    const sql = `SELECT * FROM letters WHERE ${where.join(' AND ')} ORDER BY kept_ms DESC, rowid DESC LIMIT ? OFFSET ?`;
    return this.#all(sql, ...values, limit, offset).map(toLetterRow);
  }

  unread(): number {
    const row = this.#get(
      `SELECT count(*) AS n FROM letters WHERE box = 'in' AND is_read = 0 AND document IS NOT NULL`,
    );
    return Number(row?.['n']);
  }

  /** By the first digits of its id. @throws MailError LETTER_UNKNOWN */
  find(hex: string): LetterRow & { document: Uint8Array } {
    const isHex = /^[0-9a-f]{4,32}$/.test(hex);
    const rows = isHex
      ? this.#all(`SELECT * FROM letters WHERE lower(hex(id)) LIKE ? || '%' AND document IS NOT NULL LIMIT 3`, hex)
      : [];
    // A letter to oneself is in both boxes.
    const [row] = rows.toSorted((a, b) => (a['box'] as string).localeCompare(b['box'] as string));
    const ids = new Set(rows.map((one) => Buffer.from(one['id'] as Uint8Array).toString('hex')));
    if (row !== undefined && ids.size === 1) return { ...toLetterRow(row), document: row['document'] as Uint8Array };
    const why = row === undefined ? 'There is no letter' : 'There is more than one letter';
    throw new MailError(
      'LETTER_UNKNOWN',
      `${why} whose id begins with "${hex.slice(0, 40)}". "workswap mail ls" lists them.`,
    );
  }

  markRead({ box, author, id }: LetterRow): void {
    this.#run('UPDATE letters SET is_read = 1 WHERE box = ? AND author = ? AND id = ?', box, author, id);
  }

  /** Here only: others keep what they have. */
  remove({ id }: Pick<LetterRow, 'id'>): void {
    this.#run(`UPDATE letters SET document = NULL, subject = '' WHERE id = ?`, id);
    this.#run('DELETE FROM deliveries WHERE letter = ?', id);
  }

  deliveries(id: Uint8Array): Delivery[] {
    return this.#all('SELECT * FROM deliveries WHERE letter = ? ORDER BY recipient', id).map((row) => ({
      recipient: row['recipient'] as string,
      isSent: row['is_sent'] === 1,
      ...(row['error'] === null ? {} : { error: row['error'] as string }),
    }));
  }

  /** Ids of letters that some recipient does not have yet, oldest first. */
  undelivered(): Uint8Array[] {
    const sql = `SELECT id FROM letters WHERE box = 'out' AND document IS NOT NULL
      AND EXISTS (SELECT 1 FROM deliveries WHERE letter = id AND is_sent = 0) ORDER BY kept_ms LIMIT 1000`;
    return this.#all(sql).map((row) => row['id'] as Uint8Array);
  }

  /** A letter of ours as it was signed; undefined when it was removed. */
  sent(id: Uint8Array): Uint8Array | undefined {
    const row = this.#get(`SELECT document FROM letters WHERE box = 'out' AND id = ? AND document IS NOT NULL`, id);
    return row?.['document'] as Uint8Array | undefined;
  }

  setDelivery(id: Uint8Array, { recipient, isSent, error }: Delivery): void {
    const sql = 'UPDATE deliveries SET is_sent = ?, error = ? WHERE letter = ? AND recipient = ?';
    this.#run(sql, isSent ? 1 : 0, error ?? null, id, recipient);
  }

  contacts(): Contact[] {
    return this.#all('SELECT * FROM contacts ORDER BY name').map(toContact);
  }

  contact(nameOrPeer: string): Contact | undefined {
    const row = this.#get('SELECT * FROM contacts WHERE name = ?1 OR peer = ?1', nameOrPeer);
    return row && toContact(row);
  }

  /** @throws MailError CONTACT_INVALID, CONTACT_EXISTS */
  addContact({ name, peer, isVerified }: Contact): void {
    if (!CONTACT_NAME.test(name)) {
      throw new MailError(
        'CONTACT_INVALID',
        `"${name}" is no name for a contact: letters, digits, dots and hyphens, at most 64.`,
      );
    }
    const known = this.contact(name) ?? this.contact(peer);
    if (known !== undefined) {
      throw new MailError('CONTACT_EXISTS', `${known.name} is ${known.peer} already. Remove that contact first.`);
    }
    if (this.contacts().length >= CONTACTS_MAX)
      throw new MailError('CONTACT_INVALID', `There are ${CONTACTS_MAX} contacts.`);
    this.#run('INSERT INTO contacts VALUES (?, ?, ?)', name, peer, isVerified ? 1 : 0);
  }

  setVerified(peer: string): void {
    this.#run('UPDATE contacts SET is_verified = 1 WHERE peer = ?', peer);
  }

  removeContact(peer: string): void {
    this.#run('DELETE FROM contacts WHERE peer = ?', peer);
  }

  blocked(): string[] {
    return this.#all('SELECT peer FROM blocked ORDER BY peer').map((row) => row['peer'] as string);
  }

  isBlocked(peer: string): boolean {
    return this.#get('SELECT 1 FROM blocked WHERE peer = ?', peer) !== undefined;
  }

  setBlocked(peer: string, isBlocked: boolean): void {
    this.#run(isBlocked ? 'INSERT OR IGNORE INTO blocked VALUES (?)' : 'DELETE FROM blocked WHERE peer = ?', peer);
  }

  endpoints(): Endpoint[] {
    return this.#all('SELECT * FROM endpoints ORDER BY position').map((row) => ({
      peer: row['peer'] as string,
      addrs: JSON.parse(row['addrs'] as string) as string[],
    }));
  }

  settings(): MailSettings {
    const row = this.#get('SELECT payer, accept FROM settings');
    return (row as unknown as MailSettings | undefined) ?? { payer: 'sender', accept: 'anyone' };
  }

  /** Peers of endpoints that may take nothing, since they were about to be closed. */
  closing(): string[] {
    return this.#all('SELECT peer FROM endpoints WHERE is_closing = 1').map((row) => row['peer'] as string);
  }

  setEndpoints(endpoints: readonly Endpoint[], { payer, accept }: MailSettings, closing: readonly string[] = []): void {
    transaction(this.#database, () => {
      this.#run('INSERT OR REPLACE INTO settings VALUES (1, ?, ?)', payer, accept);
      this.#run('DELETE FROM endpoints');
      for (const [i, { peer, addrs }] of endpoints.entries()) {
        const isClosing = closing.includes(peer) ? 1 : 0;
        this.#run('INSERT INTO endpoints VALUES (?, ?, ?, ?)', i, peer, JSON.stringify(addrs), isClosing);
      }
    });
  }

  #get(sql: string, ...values: Value[]): Row | undefined {
    return this.#database.sqlite.prepare(sql).get(...values);
  }

  #all(sql: string, ...values: Value[]): Row[] {
    return this.#database.sqlite.prepare(sql).all(...values);
  }

  #run(sql: string, ...values: Value[]) {
    return this.#database.sqlite.prepare(sql).run(...values);
  }
}

function toLetterRow(row: Row): LetterRow {
  return {
    box: row['box'] as Box,
    author: row['author'] as string,
    id: row['id'] as Uint8Array,
    thread: row['thread'] as Uint8Array,
    subject: row['subject'] as string,
    timeMs: Number(row['time_ms']),
    isRead: row['is_read'] === 1,
  };
}

function toContact(row: Row): Contact {
  return { name: row['name'] as string, peer: row['peer'] as string, isVerified: row['is_verified'] === 1 };
}

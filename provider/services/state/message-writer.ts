import type { Database, Key } from '../../store/index.ts';
import type { Batch, SettledRow } from './batch.ts';

type Statement = ReturnType<Database['sqlite']['prepare']>;

/** The part of a batch that has to do with messages: what was sent, what became of it, what came. */
export class MessageWriter {
  readonly #insertSent: Statement;
  readonly #deleteSent: Statement;
  readonly #giveUp: Statement;
  readonly #deleteEnded: Statement;
  readonly #insertDelivered: Statement;
  readonly #deleteDelivered: Statement;

  constructor({ sqlite }: Database) {
    this.#insertSent = sqlite.prepare(
      'INSERT INTO outbox (state, recipient, id, time_ms, message, bytes) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#deleteSent = sqlite.prepare('DELETE FROM outbox WHERE sequence = ?');
    this.#giveUp = sqlite.prepare(
      'UPDATE outbox SET message = NULL, ended_ms = ?, code = ?, reason = ? WHERE sequence = ?',
    );
    this.#deleteEnded = sqlite.prepare(
      `DELETE FROM outbox WHERE sequence IN (
         SELECT sequence FROM outbox WHERE state = ? AND ended_ms IS NOT NULL ORDER BY ended_ms DESC LIMIT -1 OFFSET ?)`,
    );
    this.#insertDelivered = sqlite.prepare(
      'INSERT INTO delivered (state, message, commit_cid, expires_ms) VALUES (?, ?, ?, ?)',
    );
    this.#deleteDelivered = sqlite.prepare('DELETE FROM delivered WHERE expires_ms < ?');
  }

  write({ sent, settled, delivered, deliveredBeforeMs }: Batch): void {
    if (deliveredBeforeMs !== undefined) this.#deleteDelivered.run(deliveredBeforeMs);
    for (const row of settled) this.#settle(row);
    for (const { state, recipient, id, timeMs, message } of sent) {
      this.#insertSent.run(state, recipient, id, timeMs, message, message.length);
    }
    for (const { state, message, commit, expiresMs } of delivered) {
      this.#insertDelivered.run(state, blob(message), commit === undefined ? null : blob(commit), expiresMs);
    }
  }

  #settle({ state, sequence, failure }: SettledRow): void {
    if (failure === undefined) {
      this.#deleteSent.run(sequence);
      return;
    }
    this.#giveUp.run(failure.endedMs, failure.code, failure.reason, sequence);
    this.#deleteEnded.run(state, failure.keptMax);
  }
}

function blob(key: Key): Buffer {
  return Buffer.from(key, 'latin1');
}

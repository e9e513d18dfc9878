import type { Key } from '../../store/index.ts';
import { StoreError, transaction, type BatchWriter, type Database } from '../../store/sqlite/index.ts';
import type { Batch, StateRow } from './batch.ts';
import { MessageWriter } from './message-writer.ts';

type Statement = ReturnType<Database['sqlite']['prepare']>;

export function openWriter(database: Database): BatchWriter<Batch, void> {
  return new StateWriter(database);
}

/** Writes batches, each in a transaction. */
class StateWriter implements BatchWriter<Batch, void> {
  readonly #database: Database;
  readonly #insertState: Statement;
  readonly #updateState: Statement;
  readonly #insertApplied: Statement;
  readonly #insertBlock: Statement;
  readonly #deleteApplied: Statement;
  readonly #messages: MessageWriter;

  constructor(database: Database) {
    this.#database = database;
    this.#messages = new MessageWriter(database);
    const { sqlite } = database;
    this.#insertState = sqlite.prepare(
      'INSERT INTO states (id, service, root, commit_cid, sequence) VALUES (?, ?, ?, ?, 1)',
    );
    this.#updateState = sqlite.prepare(
      'UPDATE states SET root = ?, commit_cid = ?, sequence = sequence + 1 WHERE id = ? AND sequence = ?',
    );
    this.#insertApplied = sqlite.prepare(
      'INSERT INTO applied (state, task, commit_cid, time_ms, answer) VALUES (?, ?, ?, ?, ?)',
    );
    this.#insertBlock = sqlite.prepare(
      // The same bytes may come again: a file that is as it was before.
      'INSERT INTO blocks (multihash, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING',
    );
    this.#deleteApplied = sqlite.prepare('DELETE FROM applied WHERE time_ms < ?');
  }

  /** @throws StoreError, also when somebody else has changed a state in between */
  write(batch: Batch): void {
    transaction(this.#database, () => {
      // First, so that a commit finds their space on a full disk.
      if (batch.appliedBeforeMs !== undefined) this.#deleteApplied.run(batch.appliedBeforeMs);
      for (const row of batch.states) this.#writeState(row);
      for (const { state, task, commit, timeMs, answer } of batch.applied) {
        this.#insertApplied.run(state, blob(task), commit === undefined ? null : blob(commit), timeMs, answer ?? null);
      }
      this.#messages.write(batch);
      let start = 0;
      for (const [i, key] of batch.blockKeys.entries()) {
        const end = batch.blockEnds[i]!;
        // Without version and codec.
        this.#insertBlock.run(blob(key).subarray(2), batch.blockBytes.subarray(start, end));
        start = end;
      }
    });
  }

  #writeState({ id, service, root, commit, sequence }: StateRow): void {
    const commitBlob = commit === undefined ? null : blob(commit);
    if (sequence === 1) {
      this.#insertState.run(id, service, blob(root), commitBlob);
      return;
    }
    if (Number(this.#updateState.run(blob(root), commitBlob, id, sequence - 1).changes) === 1) return;
    const message = `The state of ${service} was changed by another process. Restart the provider.`;
    throw new StoreError('STORE_UNAVAILABLE', message, { path: this.#database.path });
  }
}

function blob(key: Key): Buffer {
  return Buffer.from(key, 'latin1');
}

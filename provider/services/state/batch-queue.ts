import type { Key, WriteTarget } from '../../store/index.ts';
import {
  emptyBatch,
  type AppliedRow,
  type Batch,
  type DeliveredRow,
  type OutboxRow,
  type SettledRow,
  type StateRow,
} from './batch.ts';

/** What belongs together of one commit. */
export interface Submission {
  states: StateRow[];
  applied: AppliedRow[];
  blocks: ReadonlyMap<Key, Uint8Array>;
  delivered?: DeliveredRow[];
  sent?: OutboxRow[];
  settled?: SettledRow[];
}

export interface Maintenance {
  /** Added to the batch that is written next. */
  before(batch: Batch): void;
  written(submission: Submission): void;
}

/** Group commit: what is submitted while a batch is on its way to the disk goes together in the next one, of all services. */
export class BatchQueue {
  readonly #target: Promise<WriteTarget<Batch, void>>;
  readonly #maintenance: Maintenance;
  #waiting: { submission: Submission; done: PromiseWithResolvers<void> }[] = [];
  #running: Promise<void> | undefined;

  constructor(target: Promise<WriteTarget<Batch, void>>, maintenance: Maintenance) {
    this.#target = target;
    this.#maintenance = maintenance;
  }

  /** Resolves when it is durable. @throws StoreError: then nothing of it is */
  submit(submission: Submission): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ submission, done });
    this.#start();
    return done.promise;
  }

  /** Writes what waits, and then lets go of the target. */
  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    await (await this.#target).close();
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    do {
      const waiting = this.#waiting;
      this.#waiting = [];
      const batch = toBatch(waiting.map(({ submission }) => submission));
      this.#maintenance.before(batch);
      try {
        await (await this.#target).write(batch, [batch.blockBytes.buffer]);
        for (const { submission, done } of waiting) {
          this.#maintenance.written(submission);
          done.resolve();
        }
      } catch (error) {
        for (const { done } of waiting) done.reject(error);
      }
    } while (this.#waiting.length > 0);
    // In the turn in which nothing more was found, so that nothing is added in between.
    this.#running = undefined;
  }
}

function toBatch(submissions: readonly Submission[]): Batch {
  const batch = emptyBatch();
  let length = 0;
  for (const { blocks } of submissions) for (const bytes of blocks.values()) length += bytes.length;
  batch.blockBytes = new Uint8Array(length);
  let end = 0;
  for (const { states, applied, blocks, delivered, sent, settled } of submissions) {
    batch.states.push(...states);
    batch.applied.push(...applied);
    if (delivered !== undefined) batch.delivered.push(...delivered);
    if (sent !== undefined) batch.sent.push(...sent);
    if (settled !== undefined) batch.settled.push(...settled);
    for (const [key, bytes] of blocks) {
      batch.blockBytes.set(bytes, end);
      end += bytes.length;
      batch.blockKeys.push(key);
      batch.blockEnds.push(end);
    }
  }
  return batch;
}

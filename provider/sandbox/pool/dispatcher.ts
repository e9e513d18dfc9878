import { decodeHead } from '../abi/head.ts';
import { cancelled, closedError, SandboxError } from '../errors.ts';
import type { SandboxLimits } from '../limits.ts';
import type { FileSize, Outcome, ReadFile } from '../types.ts';
import type { Batch } from './batch.ts';
import { answerQuestion, type AnswerOptions } from './answers.ts';
import { GENERATION_MAX, sharedNowMs } from './control.ts';
import type { Entry } from './entry.ts';
import type { FairQueue } from './fair-queue.ts';
import { gatherBatch } from './gather-batch.ts';
import { MAIL_BYTES_MAX } from './mailbox.ts';
import { Watchdog } from './watchdog.ts';
import { batchBytes, writeBatch } from './wire-batch.ts';
import { readResults, type WireResult } from './wire-results.ts';
import { Workers } from './workers.ts';

/** How many workers may be lost under a job before it is given up. */
const LOST_MAX = 2;

export interface DispatcherCounters {
  batches: number;
  repeated: number;
  workersLost: number;
}

/**
 * Takes jobs from the queue to the workers and their ends back. Small jobs share a message when more of them wait than
 * there are free workers. Handlers are pure, so a job that lost its worker to a neighbour is simply run again.
 */
export class Dispatcher {
  readonly counters: DispatcherCounters = { batches: 0, repeated: 0, workersLost: 0 };
  readonly #limits: SandboxLimits;
  readonly #queue: FairQueue<Entry>;
  readonly #workers: Workers;
  readonly #watchdog: Watchdog;
  /** By slot. */
  readonly #batches: (Batch | undefined)[];
  #batchCount = 0;
  readonly #freeSlots: number[] = [];
  #lastGeneration = 0;
  #waiting = 0;
  #reservedBytes = 0;
  #idle: (() => void) | undefined;
  #stopped = false;
  #meanMs = 0;

  constructor(
    limits: SandboxLimits,
    queue: FairQueue<Entry>,
    files: { readFile?: ReadFile | undefined; fileSize?: FileSize | undefined },
  ) {
    this.#limits = limits;
    this.#queue = queue;
    const answers: AnswerOptions = {
      readFile: files.readFile,
      fileSize: files.fileSize,
      blockTimeoutMs: limits.blockTimeoutMs,
      waiting: (entry, waits) => this.#setWaiting(entry, waits),
    };
    this.#workers = new Workers(limits, {
      answers: () => this.#collect(),
      results: (slot, results) => this.#answered(this.#batches[slot], results),
      question: (slot, question, port) => {
        const batch = this.#batches[slot];
        const asks = batch?.generation === question.generation && !batch.killed;
        const entry = asks ? batch.entries[question.index] : undefined;
        void answerQuestion(port, question, entry, answers).then(() => this.#workers.control.reply(slot));
      },
      lost: (slot, cause) => this.#lost(this.#batches[slot], cause),
    });
    this.#batches = Array.from({ length: this.#workers.slots });
    for (let slot = this.#workers.slots - 1; slot >= 0; slot--) this.#freeSlots.push(slot);
    this.#watchdog = new Watchdog(this.#workers.control, () => this.#liveBatches(), {
      kill: (batch, entry, error) => this.#kill(batch, entry, error),
      takeBack: (batch) => this.#takeBack(batch),
    });
  }

  get runningJobs(): number {
    let count = 0;
    for (const batch of this.#liveBatches()) {
      for (const entry of batch.entries) if (entry.batch === batch && !entry.settled) count += 1;
    }
    return count;
  }

  /** Moving average of what a job takes on a worker. */
  get meanMs(): number {
    return this.#meanMs;
  }

  get waitingJobs(): number {
    return this.#waiting;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** Starts as many jobs as there are workers and memory for. */
  pump(): void {
    while (!this.#stopped) {
      const free = Math.min(this.#freeSlots.length, this.#limits.threads - (this.#batchCount - this.#waiting));
      if (free <= 0) return;
      const entries = gatherBatch(this.#queue, this.#limits, free, this.#limits.memoryBytesMax - this.#reservedBytes);
      if (entries.length === 0) return;
      this.#send(entries);
    }
  }

  /** Stops a job that is on a worker, or will in a moment be. */
  cancel(entry: Entry, reason: unknown): void {
    const { batch } = entry;
    if (batch === undefined || entry.settled) return;
    entry.cancelReason = reason;
    if (this.#workers.control.take(batch.slot, batch.generation, entry.index)) {
      entry.reject(cancelled(reason, 0));
      return;
    }
    entry.cancelledMs = sharedNowMs();
    entry.fetching?.abort(reason);
    this.#watchdog.start();
  }

  /** Lets running jobs finish for at most so long, then stops everything. */
  async stop(timeoutMs: number): Promise<void> {
    if (this.#batchCount > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    }
    this.#stopped = true;
    this.#watchdog.stop();
    for (const batch of this.#liveBatches()) {
      batch.killed = true;
      for (const entry of batch.entries) {
        if (entry.batch !== batch || entry.settled) continue;
        entry.fetching?.abort();
        entry.reject(closedError(this.#elapsedMs(batch, entry)));
      }
    }
    await this.#workers.destroy();
  }

  #send(entries: Entry[]): void {
    const slot = this.#takeSlot();
    this.#lastGeneration = (this.#lastGeneration % GENERATION_MAX) + 1;
    const generation = this.#lastGeneration;
    // Jobs of a batch run one after the other.
    let reservedBytes = 0;
    for (const entry of entries) reservedBytes = Math.max(reservedBytes, entry.reservedBytes);
    const batch: Batch = { slot, generation, entries, reservedBytes, waiting: false, killed: false };
    let index = 0;
    for (const entry of entries) {
      entry.batch = batch;
      entry.index = index++;
    }
    this.#batches[slot] = batch;
    this.#batchCount += 1;
    this.#reservedBytes += reservedBytes;
    this.counters.batches += 1;
    this.#workers.control.open(slot, generation, entries.length);
    this.#watchdog.start();
    this.#write(batch);
  }

  /** The slot that was used last has the warmest caches; one whose thread is still starting comes last. */
  #takeSlot(): number {
    const ready = this.#freeSlots.findLastIndex((slot) => this.#workers.isReady(slot));
    const [slot] = this.#freeSlots.splice(ready === -1 ? this.#freeSlots.length - 1 : ready, 1);
    if (slot === undefined) throw new Error('no free slot');
    return slot;
  }

  #write({ slot, generation, entries }: Batch): void {
    const { mailboxes } = this.#workers;
    const size = batchBytes(entries);
    if (size <= MAIL_BYTES_MAX) {
      writeBatch(mailboxes.buffer, mailboxes.request(slot), entries);
      this.#workers.send(slot, generation);
    } else {
      const message = new ArrayBuffer(size);
      writeBatch(message, 0, entries);
      this.#workers.send(slot, generation, message);
    }
  }

  /** Takes the results out of all mailboxes that have any. */
  #collect(): void {
    for (const batch of this.#liveBatches()) {
      if (this.#workers.control.answered(batch.slot, batch.generation)) this.#answered(batch);
    }
  }

  /** A batch's results are in `message`, or in its mailbox. */
  #answered(batch: Batch | undefined, message?: ArrayBuffer): void {
    // After a kill the outcomes that crossed with it are not used: their jobs are queued again, or rejected.
    if (batch === undefined || batch.killed) return;
    const { mailboxes } = this.#workers;
    const { slot, entries } = batch;
    const results =
      message === undefined
        ? readResults(mailboxes.buffer, mailboxes.response(slot), entries.length, headersOf)
        : readResults(message, 0, entries.length, headersOf);
    this.#free(batch);
    for (const entry of entries) {
      const result = results[entry.index];
      if (result !== undefined && entry.batch === batch && !entry.settled) this.#end(entry, result);
    }
    this.pump();
  }

  #end(entry: Entry, result: WireResult): void {
    if (result.kind === 'notRun') {
      if (entry.cancelledMs === undefined) this.#requeue(entry);
      else entry.reject(cancelled(entry.cancelReason, 0));
      return;
    }
    const elapsedMs = result.kind === 'outcome' ? result.outcome.elapsedMs : result.elapsedMs;
    entry.record.add(elapsedMs);
    this.#meanMs += (elapsedMs - this.#meanMs) / 16;
    this.#queue.correct(entry, elapsedMs - entry.expectedMs);
    if (entry.cancelledMs !== undefined) {
      entry.reject(cancelled(entry.cancelReason, elapsedMs));
    } else if (result.kind === 'failure') {
      const { code, message, fault, retryable } = result.failure;
      entry.reject(new SandboxError(code, message, { fault, retryable, elapsedMs }));
    } else {
      entry.resolve(result.outcome satisfies Outcome);
    }
  }

  /** The worker ended by itself: an internal error, or the process is out of memory. */
  #lost(batch: Batch | undefined, cause: unknown): void {
    if (batch === undefined || batch.killed || this.#stopped) return;
    this.counters.workersLost += 1;
    const current = this.#workers.control.current(batch.slot);
    this.#free(batch);
    for (const entry of batch.entries) {
      if (entry.batch !== batch || entry.settled) continue;
      entry.lost += 1;
      const guilty = current?.index === entry.index;
      if (!guilty && entry.lost <= LOST_MAX) {
        this.counters.repeated += 1;
        this.#requeue(entry);
        continue;
      }
      const elapsedMs = guilty ? sharedNowMs() - current.startedMs : 0;
      const init = { fault: 'provider', retryable: true, elapsedMs, cause } as const;
      entry.reject(new SandboxError('WORKER_LOST', 'The worker ended while it ran the job. Try again.', init));
    }
    this.pump();
  }

  /** Terminates a batch's worker because of one of its jobs; the others run again. */
  #kill(batch: Batch, guilty: Entry, error: SandboxError): void {
    batch.killed = true;
    this.counters.workersLost += 1;
    guilty.fetching?.abort(error);
    this.#queue.correct(guilty, error.elapsedMs - guilty.expectedMs);
    guilty.record.add(error.elapsedMs);
    guilty.reject(error);
    for (const entry of batch.entries) {
      if (entry.batch !== batch || entry.settled) continue;
      this.counters.repeated += 1;
      this.#requeue(entry);
    }
    // Its place counts as taken until the thread is gone: what cannot be stopped must not be joined by more of its kind.
    this.#workers.kill(batch.slot, () => {
      this.#free(batch);
      this.pump();
    });
  }

  /** Gives the jobs behind a slow one to other workers, with those that are done but not answered yet. */
  #takeBack(batch: Batch): void {
    const current = this.#workers.control.current(batch.slot);
    if (current === undefined) return;
    for (const entry of batch.entries) {
      if (entry.index === current.index || entry.batch !== batch || entry.settled) continue;
      if (!this.#workers.control.take(batch.slot, batch.generation, entry.index)) this.counters.repeated += 1;
      this.#requeue(entry);
    }
    this.pump();
  }

  #requeue(entry: Entry): void {
    entry.batch = undefined;
    if (entry.cancelledMs !== undefined) {
      entry.reject(cancelled(entry.cancelReason, 0));
      return;
    }
    this.#queue.correct(entry, -entry.expectedMs);
    this.#queue.unshift(entry);
  }

  #free(batch: Batch): void {
    if (this.#batches[batch.slot] !== batch) return;
    this.#batches[batch.slot] = undefined;
    this.#batchCount -= 1;
    if (batch.waiting) this.#waiting -= 1;
    this.#freeSlots.push(batch.slot);
    this.#reservedBytes -= batch.reservedBytes;
    if (this.#batchCount === 0) this.#idle?.();
  }

  #setWaiting(entry: Entry, waits: boolean): void {
    const { batch } = entry;
    if (batch === undefined || batch.waiting === waits || this.#batches[batch.slot] !== batch) return;
    batch.waiting = waits;
    this.#waiting += waits ? 1 : -1;
    if (waits) this.pump();
  }

  #liveBatches(): Batch[] {
    return this.#batches.filter((batch) => batch !== undefined);
  }

  #elapsedMs(batch: Batch, entry: Entry): number {
    const current = this.#workers.control.current(batch.slot);
    return current?.index === entry.index ? sharedNowMs() - current.startedMs : 0;
  }
}

function headersOf(head: Uint8Array): Record<string, string> {
  return decodeHead(head).headers;
}

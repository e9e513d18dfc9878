import { LiveList } from '../live-list.ts';
import { cancelled, closedError, QueueFullError, SandboxError } from './errors.ts';
import { PAGE_BYTES } from './engine/instance.ts';
import { defaultLimits, type SandboxLimits } from './limits.ts';
import { Dispatcher } from './pool/dispatcher.ts';
import type { Entry } from './pool/entry.ts';
import { FairQueue } from './pool/fair-queue.ts';
import { ModuleRecords } from './pool/module-records.ts';
import type { FileSize, JobSpec, Outcome, ReadFile, RunOptions, Sandbox, SandboxStats } from './types.ts';

export interface SandboxOptions extends Partial<SandboxLimits> {
  /** Reads from IPFS for `block_read`; without it every block is unavailable. */
  readFile?: ReadFile;
  fileSize?: FileSize;
}

export const PRIORITY_MAX = 7;

/** Starts a pool of workers. Its limits are `defaultLimits()` where the options do not say otherwise. */
export function createSandbox(options: SandboxOptions = {}): Sandbox {
  const { readFile, fileSize, ...limits } = options;
  return new WorkerSandbox({ ...defaultLimits(), ...limits }, { readFile, fileSize });
}

class WorkerSandbox implements Sandbox {
  readonly #limits: SandboxLimits;
  readonly #queue = new FairQueue<Entry>(PRIORITY_MAX + 1);
  readonly #records = new ModuleRecords();
  readonly #dispatcher: Dispatcher;
  readonly #rejected: Record<string, number> = {};
  readonly #pending = new LiveList<Entry>();
  #queuedBytes = 0;
  #finished = 0;
  #failed = 0;
  #pumping = false;
  #closed: Promise<void> | undefined;

  constructor(limits: SandboxLimits, files: { readFile?: ReadFile | undefined; fileSize?: FileSize | undefined }) {
    this.#limits = limits;
    this.#dispatcher = new Dispatcher(limits, this.#queue, files);
  }

  run(job: JobSpec, options: RunOptions = {}): Promise<Outcome> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    try {
      this.#admit(job, options, resolve, reject);
    } catch (error) {
      if (error instanceof SandboxError) this.#count(error.code);
      reject(error as Error);
    }
    return promise;
  }

  stats(): SandboxStats {
    const running = this.#dispatcher.runningJobs;
    return {
      threads: this.#limits.threads,
      running,
      waiting: this.#dispatcher.waitingJobs,
      queued: this.#queue.size,
      queuedBytes: this.#queuedBytes,
      memoryReservedBytes: this.#dispatcher.reservedBytes,
      finished: this.#finished,
      failed: this.#failed,
      rejected: { ...this.#rejected },
      ...this.#dispatcher.counters,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const entry of this.#pending.values()) {
      if (entry.batch === undefined && this.#queue.remove(entry)) entry.reject(closedError(0));
    }
    await this.#dispatcher.stop(this.#limits.closeTimeoutMs);
    // Jobs that lost their worker while it closed.
    for (const entry of this.#pending.values()) entry.reject(closedError(0));
  }

  #admit(
    job: JobSpec,
    { signal, priority = 0, consumer = '' }: RunOptions,
    resolve: (outcome: Outcome) => void,
    reject: (error: Error) => void,
  ): void {
    if (this.#closed !== undefined) throw closedError(0);
    if (signal?.aborted === true) throw cancelled(signal.reason, 0);
    const reservedBytes = this.#assertAllowed(job, priority);
    this.#assertRoom(consumer, job.input.length);
    const entry: Entry = {
      job,
      record: this.#records.of(job.module.module),
      consumer,
      priority,
      reservedBytes,
      batch: undefined,
      index: 0,
      expectedMs: 0,
      lost: 0,
      cancelledMs: undefined,
      cancelReason: undefined,
      fetching: undefined,
      settled: false,
      resolve: (outcome) => {
        if (!settle()) return;
        this.#finished += 1;
        if (outcome.error !== undefined) this.#failed += 1;
        resolve(outcome);
      },
      reject: (error) => {
        if (!settle()) return;
        this.#count(error.code);
        reject(error);
      },
    };
    const onAbort = (): void => this.#cancel(entry, signal?.reason);
    const settle = (): boolean => {
      if (entry.settled) return false;
      entry.settled = true;
      this.#pending.remove(place);
      this.#queuedBytes -= job.input.length;
      signal?.removeEventListener('abort', onAbort);
      return true;
    };
    signal?.addEventListener('abort', onAbort);
    const place = this.#pending.add(entry);
    this.#queuedBytes += job.input.length;
    this.#queue.push(entry);
    this.#pumpSoon();
  }

  /** At the end of the current tick, so that jobs which arrive together can travel together. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#dispatcher.pump();
    });
  }

  #cancel(entry: Entry, reason: unknown): void {
    if (entry.batch === undefined) {
      this.#queue.remove(entry);
      entry.reject(cancelled(reason, 0));
    } else {
      this.#dispatcher.cancel(entry, reason);
    }
  }

  /** Checks one job against the limits; answers the memory that it reserves. */
  #assertAllowed({ input, seed, timeMs, limits }: JobSpec, priority: number): number {
    const { memoryPagesMax, outputBytesMax, timeoutMsMax, inputBytesMax, memoryBytesMax } = this.#limits;
    assertRange('fuelMax', limits.fuelMax, 0, Number.MAX_SAFE_INTEGER);
    assertRange('memoryPagesMax', limits.memoryPagesMax, 0, memoryPagesMax);
    assertRange('outputBytesMax', limits.outputBytesMax, 0, outputBytesMax);
    assertRange('timeoutMs', limits.timeoutMs, 1, timeoutMsMax);
    assertRange('timeMs', timeMs, 0, Number.MAX_SAFE_INTEGER);
    assertRange('priority', priority, 0, PRIORITY_MAX);
    assertRange('the number of bytes of the seed', seed.length, 32, 32);
    assertRange('the number of bytes of the input', input.length, 0, inputBytesMax);
    const reservedBytes = limits.memoryPagesMax * PAGE_BYTES + limits.outputBytesMax + input.length;
    if (reservedBytes > memoryBytesMax) {
      throw invalid(
        `The job reserves ${reservedBytes} bytes of memory; this provider's workers have ${memoryBytesMax}.`,
      );
    }
    return reservedBytes;
  }

  #assertRoom(consumer: string, inputBytes: number): void {
    const { queueMax, queuePerConsumerMax, queueBytesMax, threads } = this.#limits;
    const queued = this.#queue.size;
    const waitMs = queued === 0 ? undefined : (this.#meanMs * queued) / threads;
    if (queued >= queueMax) throw new QueueFullError('The queue is full', queued, queueMax, waitMs);
    const own = this.#queue.sizeOf(consumer);
    if (own >= queuePerConsumerMax) {
      throw new QueueFullError('Too many jobs of this consumer are waiting', own, queuePerConsumerMax, waitMs);
    }
    if (this.#queuedBytes + inputBytes > queueBytesMax) {
      throw new QueueFullError('The inputs that wait take too many bytes', this.#queuedBytes, queueBytesMax, waitMs);
    }
  }

  get #meanMs(): number {
    return this.#dispatcher.meanMs;
  }

  #count(code: string): void {
    this.#rejected[code] = (this.#rejected[code] ?? 0) + 1;
  }
}

function assertRange(what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw invalid(`The job is not possible here: ${what} is ${value}; it must be an integer from ${min} to ${max}.`);
}

function invalid(message: string): SandboxError {
  return new SandboxError('LIMIT_EXCEEDED', message, { fault: 'consumer' });
}

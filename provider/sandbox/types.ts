import type { Fault } from '../../sdk/protocol/errors.ts';
import type { TariffRates } from '../../sdk/protocol/tariff.ts';

/** A handler that is verified, metered and compiled: ready to run on any worker. */
export interface LoadedModule {
  /** The CID of the original bytes, in its canonical text form. */
  cid: string;
  /** The metered module. */
  module: WebAssembly.Module;
  /** Size of the original module: what `compile` in the tariff is charged for. */
  sizeBytes: number;
  memoryPagesMin: number;
  /** Units of fuel that every job burns before the handler runs; see `setupFuel`. */
  setupFuel: number;
  hasStart: boolean;
  /** True when an instance can be used again after its memory and its mutable globals are set back. */
  resettable: boolean;
  /** True when the module may wait for the network (it imports `block_read` or `block_size`). */
  mayWait?: boolean;
  meterVersion: string;
  /** True for exactly the caller whose load triggered the compilation: that caller pays for it. */
  compiledNow?: boolean;
}

export interface JobLimits {
  /** Units of fuel; at most 2^53 - 1. */
  fuelMax: number;
  /** Pages of 64 KiB. */
  memoryPagesMax: number;
  outputBytesMax: number;
  /** Wall-clock time on the worker, waits for blocks included. The time in the queue is not part of it. */
  timeoutMs: number;
}

/** What the consumer pays at most, and for what: fuel never exceeds what is left of `priceMax`. */
export interface JobBudget {
  rates: TariffRates;
  priceMax: number;
  compiledBytes: number;
}

export interface JobSpec {
  module: LoadedModule;
  /** The request, a DAG-CBOR map. */
  input: Uint8Array;
  /** 32 bytes; `random` is a pure function of it. */
  seed: Uint8Array;
  timeMs: number;
  limits: JobLimits;
  budget?: JobBudget;
}

export interface LogLine {
  level: number;
  message: string;
}

export interface OutcomeError {
  code: string;
  message: string;
  fault: Fault;
}

/** How a job ended, when its end is a pure function of the task: it is billed, and anyone can verify it. */
export interface Outcome {
  error?: OutcomeError;
  /** The DAG-CBOR head as the handler wrote it; empty when it wrote none. */
  head: Uint8Array;
  body: Uint8Array;
  /** 0 when there is no valid head. */
  status: number;
  headers: Record<string, string>;
  /** Units of fuel burnt; never more than the limit that was in force. */
  fuel: number;
  memoryPagesPeak: number;
  /** Bytes of head and body together. */
  outputBytes: number;
  /** Bytes that the handler read through `block_read`. */
  readBytes: number;
  /** What the handler logged, cut off at `LIMITS.logBytesMax`. Not part of any receipt. */
  logs: LogLine[];
  /** Wall-clock time on the worker. Not part of any receipt. */
  elapsedMs: number;
}

export interface RunOptions {
  signal?: AbortSignal;
  /** Jobs of a higher priority start first; integer from 0 (the default) to 7. */
  priority?: number;
  /** Whose turn this job takes: waiting consumers share the workers evenly. */
  consumer?: string;
}

/** Reads bytes of the UnixFS file or raw block `cid` (binary); fewer than `length` only at the end of the file. */
export type ReadFile = (
  cid: Uint8Array,
  offset: number,
  length: number,
  signal: AbortSignal,
  consumer?: string,
) => Promise<Uint8Array>;

export type FileSize = (cid: Uint8Array, signal: AbortSignal, consumer?: string) => Promise<number>;

export interface SandboxStats {
  threads: number;
  /** Jobs on a worker now. */
  running: number;
  /** Of these, jobs that wait for a block. */
  waiting: number;
  queued: number;
  queuedBytes: number;
  /** Memory that running jobs may use at most. */
  memoryReservedBytes: number;
  /** Jobs that ended with an outcome, and those of them whose outcome is an error. */
  finished: number;
  failed: number;
  /** Jobs that were refused or stopped from outside, by code. */
  rejected: Record<string, number>;
  /** Jobs that ran a second time because their worker was lost to another job. */
  repeated: number;
  workersLost: number;
  batches: number;
}

/** A pool of workers; it keeps the process alive until it is closed. */
export interface Sandbox {
  /**
   * Runs a job on a worker. Resolves with the outcome, also when the handler failed: deterministic errors are in
   * `Outcome.error`. Rejects with a `SandboxError` when the end says nothing about the task (deadline, cancelled, worker
   * lost, block unavailable, queue full); its `elapsedMs` is what was burnt.
   */
  run(job: JobSpec, options?: RunOptions): Promise<Outcome>;
  stats(): SandboxStats;
  /** Refuses new jobs and queued ones, lets running ones finish for a while, then stops the workers. */
  close(): Promise<void>;
}

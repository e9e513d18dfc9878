import type { CancelSignal } from '../cancellation.ts';
import type { Fault } from '../../sdk/protocol/errors.ts';
import type { Outgoing } from '../../sdk/protocol/message.ts';
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
  /** True when the handler takes messages. */
  hasDeliver: boolean;
  /** True when an instance can be used again after its memory and its mutable globals are set back. */
  resettable: boolean;
  /** True when the module may wait for the network: it reads blocks or the state. */
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

type MaybePromise<T> = T | Promise<T>;

export interface StateStat {
  kind: 'file' | 'directory';
  /** Bytes of a file; 0 for a directory. */
  size: number;
}

export interface StateEntry extends StateStat {
  name: string;
}

/**
 * A service's files as a job sees them: at one root, with the changes of updates that ran before it and are not committed
 * yet. Paths are relative, `a/b`, checked by the ABI; the root directory is the empty path.
 */
export interface StateView {
  stat(path: string, signal: AbortSignal): MaybePromise<StateStat | undefined>;
  /** Fewer than `length` bytes only at the end; undefined when there is no file of this path. */
  read(path: string, offset: number, length: number, signal: AbortSignal): MaybePromise<Uint8Array | undefined>;
  /** Entries in the order of their names' UTF-8 bytes, those behind `after`, at most `limit`; `total` is all there are. */
  list(
    path: string,
    after: string,
    limit: number,
    signal: AbortSignal,
  ): MaybePromise<{ entries: StateEntry[]; total: number } | undefined>;
}

/** What an update did to its state: first all that was removed (files, or directories with all in them), then all that was written. */
export interface StateChanges {
  removed: readonly string[];
  written: ReadonlyMap<string, Uint8Array>;
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
  /** Without it the job sees an empty state that it cannot write. */
  state?: { view: StateView; writable: boolean };
  /** The job takes a message: it runs `deliver`, and so many messages may follow from it. */
  delivery?: { followUps: number };
}

/** A job as the engine takes it: its state's content comes from the host. */
export type EngineJob = Omit<JobSpec, 'state'> & { state?: { writable: boolean } };

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
  /** SHA-256 of head and body together; of nothing where there is an error, since then nothing is delivered. */
  outputDigest: Uint8Array;
  /** Bytes that the handler read through `block_read`. */
  readBytes: number;
  /** Bytes that the handler wrote into the state, and what its messages are charged as. */
  writtenBytes: number;
  /** What an update changed; absent when it changed nothing, and when it failed. */
  changes?: StateChanges;
  /** What an update sent, in order; absent when it sent nothing, and when it failed. */
  messages?: readonly Outgoing[];
  /** What the handler logged, cut off at `LIMITS.logBytesMax`. Not part of any receipt. */
  logs: LogLine[];
  /** Wall-clock time on the worker. Not part of any receipt. */
  elapsedMs: number;
}

export interface RunOptions {
  signal?: CancelSignal;
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

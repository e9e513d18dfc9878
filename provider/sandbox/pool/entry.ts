import type { SandboxError } from '../errors.ts';
import type { JobSpec, Outcome } from '../types.ts';
import type { Batch } from './batch.ts';
import type { ModuleRecord } from './module-records.ts';

/** A job between `run` and its end. */
export interface Entry {
  readonly job: JobSpec;
  readonly record: ModuleRecord;
  readonly consumer: string;
  readonly priority: number;
  /** Memory that it may use at most, its input and output included. */
  readonly reservedBytes: number;
  /** The batch it travels in; undefined while it is queued. */
  batch: Batch | undefined;
  index: number;
  /** What the queue was told that it takes. */
  expectedMs: number;
  /** How often a worker was lost under it, by no fault of its own. */
  lost: number;
  /** When the caller gave it up, while it was on a worker. */
  cancelledMs: number | undefined;
  cancelReason: unknown;
  /** Stops what the main thread fetches for it; there is one only while it does. */
  fetching: AbortController | undefined;
  settled: boolean;
  resolve(outcome: Outcome): void;
  reject(error: SandboxError): void;
}

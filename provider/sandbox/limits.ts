import { availableParallelism } from 'node:os';
import { BATCH_MAX } from './pool/control.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const DAY_MS = 86_400_000;

/** One limit of a provider. */
export interface Limit {
  default: number;
  min: number;
  max: number;
  /** The code of the error beyond it; without one, work waits or is done in another way. */
  code?: string;
}

/**
 * Limits of one provider's sandbox: the table `[sandbox]` of the config has the same names. None changes a job's outcome;
 * what a task needs beyond them is refused. The maxima are there to catch slips.
 */
export const SANDBOX_LIMITS = {
  /** Workers that compute at the same time. */
  threads: { default: availableParallelism(), min: 1, max: 1024 },
  /** Workers on top of `threads`, for the time that others wait for blocks or are being replaced. */
  spareThreads: { default: 2, min: 0, max: 1024 },
  /** The longest deadline a job may ask for. */
  timeoutMsMax: { default: 60_000, min: 1, max: DAY_MS, code: 'LIMIT_EXCEEDED' },
  /** How long one `block_read` may wait for its block. */
  blockTimeoutMs: { default: 10_000, min: 1, max: DAY_MS, code: 'BLOCK_UNAVAILABLE' },
  /** Jobs in the queue: altogether, and of one consumer. */
  queueMax: { default: 4096, min: 1, max: 1_000_000, code: 'QUEUE_FULL' },
  queuePerConsumerMax: { default: 1024, min: 1, max: 1_000_000, code: 'QUEUE_FULL' },
  /** Bytes of input of queued and running jobs. */
  queueBytesMax: { default: 64 * MIB, min: 1, max: 1024 * GIB, code: 'QUEUE_FULL' },
  /** Memory that all running jobs may use at most, by what they reserve. */
  memoryBytesMax: { default: GIB, min: 1, max: 1024 * GIB, code: 'LIMIT_EXCEEDED' },
  /** Pages one job may ask for; the meter allows no more. */
  memoryPagesMax: { default: 1024, min: 1, max: 1024, code: 'LIMIT_EXCEEDED' },
  inputBytesMax: { default: 8 * MIB, min: 1, max: GIB, code: 'LIMIT_EXCEEDED' },
  outputBytesMax: { default: 16 * MIB, min: 1, max: GIB, code: 'LIMIT_EXCEEDED' },
  /** Small jobs that travel to a worker together. */
  batchMax: { default: 32, min: 1, max: BATCH_MAX },
  /** JavaScript heap of one worker: instances and their exports, texts, the worker's own code. */
  workerHeapBytesMax: { default: 128 * MIB, min: 16 * MIB, max: 4 * GIB, code: 'WORKER_LOST' },
  /** Memory of idle instances and bytes of modules that one worker keeps. */
  instanceCacheBytesMax: { default: 32 * MIB, min: 0, max: GIB },
  moduleCacheBytesMax: { default: 32 * MIB, min: 0, max: GIB },
  /** Memory of dropped instances that one worker leaves to the garbage collector before it forces a collection. */
  garbageBytesMax: { default: 64 * MIB, min: 0, max: GIB },
  /** How long `close` lets running jobs go on. */
  closeTimeoutMs: { default: 5000, min: 0, max: DAY_MS, code: 'SANDBOX_CLOSED' },
} as const satisfies Record<string, Limit>;

export type SandboxLimits = { [name in keyof typeof SANDBOX_LIMITS]: number };

export function defaultLimits(): SandboxLimits {
  return defaultsOf(SANDBOX_LIMITS);
}

export function defaultsOf<Name extends string>(limits: Record<Name, Limit>): Record<Name, number> {
  const entries = Object.entries<Limit>(limits).map(([name, limit]) => [name, limit.default]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

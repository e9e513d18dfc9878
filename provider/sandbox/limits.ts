import { availableParallelism } from 'node:os';

const MIB = 1024 * 1024;

/** Limits of one provider's sandbox. All of them can be set in the config; none changes a job's outcome. */
export interface SandboxLimits {
  /** Workers that compute at the same time. */
  threads: number;
  /** Workers on top of `threads`, for the time that others wait for blocks or are being replaced. */
  spareThreads: number;
  /** The longest deadline a job may ask for. */
  timeoutMsMax: number;
  /** How long one `block_read` may wait for its block. */
  blockTimeoutMs: number;
  /** Jobs in the queue: altogether, and of one consumer. */
  queueMax: number;
  queuePerConsumerMax: number;
  /** Bytes of input that the queue holds. */
  queueBytesMax: number;
  /** Memory that all running jobs may use at most, by what they reserve. */
  memoryBytesMax: number;
  /** Pages one job may ask for. */
  memoryPagesMax: number;
  inputBytesMax: number;
  outputBytesMax: number;
  /** Small jobs that travel to a worker in one message. */
  batchMax: number;
  /** Memory of idle instances and bytes of modules that one worker keeps. */
  instanceCacheBytesMax: number;
  moduleCacheBytesMax: number;
  /** Memory of dropped instances that one worker leaves to the garbage collector before it forces a collection. */
  garbageBytesMax: number;
  /** How long `close` lets running jobs go on. */
  closeTimeoutMs: number;
}

export function defaultLimits(): SandboxLimits {
  return {
    threads: availableParallelism(),
    spareThreads: 2,
    timeoutMsMax: 60_000,
    blockTimeoutMs: 10_000,
    queueMax: 4096,
    queuePerConsumerMax: 1024,
    queueBytesMax: 64 * MIB,
    memoryBytesMax: 1024 * MIB,
    memoryPagesMax: 1024,
    inputBytesMax: 8 * MIB,
    outputBytesMax: 16 * MIB,
    batchMax: 32,
    instanceCacheBytesMax: 32 * MIB,
    moduleCacheBytesMax: 32 * MIB,
    garbageBytesMax: 64 * MIB,
    closeTimeoutMs: 5000,
  };
}

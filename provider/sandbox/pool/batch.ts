import type { Entry } from './entry.ts';

/** Jobs that went to a worker in one message. */
export interface Batch {
  readonly slot: number;
  readonly generation: number;
  readonly entries: readonly Entry[];
  readonly reservedBytes: number;
  /** True while its job waits for the main thread, and its worker computes nothing. */
  waiting: boolean;
  /** True once its worker is being terminated. */
  killed: boolean;
}

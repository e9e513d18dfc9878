import { encode } from '@ipld/dag-cbor';
import type { CID } from 'multiformats/cid';
import { dagCborCid } from './cids.ts';

/** The most a job may use. Fuel and time end it; the others are also what its reservation is computed from. */
export interface TaskLimits {
  fuelMax: number;
  memoryPagesMax: number;
  outputBytesMax: number;
  /** Wall-clock time from the start of the run. Not part of what is computed, so not part of the task's CID. */
  timeoutMs: number;
  /** The most the consumer pays, in bytes. */
  priceMaxBytes: number;
}

/**
 * The identity of what is computed. Two jobs with the same task must have the same output, fuel and peak memory: the
 * limits are part of it, since they decide where a run that exceeds them ends.
 */
export interface Task {
  handler: CID;
  input: CID;
  limits: Omit<TaskLimits, 'timeoutMs'>;
}

export function taskCid(task: Task): CID {
  const { fuelMax, memoryPagesMax, outputBytesMax, priceMaxBytes } = task.limits;
  return dagCborCid(
    encode({
      version: 1,
      handler: task.handler,
      input: task.input,
      limits: { fuelMax, memoryPagesMax, outputBytesMax, priceMaxBytes },
    }),
  );
}

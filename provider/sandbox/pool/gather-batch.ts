import type { SandboxLimits } from '../limits.ts';
import { BATCH_MAX } from './control.ts';
import type { Entry } from './entry.ts';
import type { FairQueue } from './fair-queue.ts';

/** Modules whose jobs took less than this, on average, may share a batch. */
const SMALL_MS_MAX = 0.5;
const SMALL_INPUT_BYTES_MAX = 16 * 1024;
/** A module must have run so often before its average counts. */
const SMALL_COUNT_MIN = 3;
/** What a batch may be expected to take. */
const BATCH_MS_MAX = 2;

/**
 * Takes the jobs of the next batch from the queue, in its order: one job, or as many small ones as this worker's share of
 * the queue is, with `free` workers and `roomBytes` of memory to give. Empty when the next job does not fit in memory.
 */
export function gatherBatch(
  queue: FairQueue<Entry>,
  { batchMax }: Pick<SandboxLimits, 'batchMax'>,
  free: number,
  roomBytes: number,
): Entry[] {
  const entries: Entry[] = [];
  const share = Math.min(batchMax, BATCH_MAX, Math.ceil(queue.size / free));
  let expectedMs = 0;
  for (;;) {
    const entry = queue.peek();
    if (entry === undefined || entry.reservedBytes > roomBytes) return entries;
    if (entries.length > 0 && !isSmall(entry)) return entries;
    entry.expectedMs = entry.record.meanMs;
    expectedMs += entry.expectedMs;
    if (entries.length > 0 && expectedMs > BATCH_MS_MAX) return entries;
    queue.shift(entry.expectedMs);
    entries.push(entry);
    if (entries.length >= share || !isSmall(entry)) return entries;
  }
}

function isSmall({ record, job }: Entry): boolean {
  return (
    record.count >= SMALL_COUNT_MIN &&
    record.meanMs < SMALL_MS_MAX &&
    job.module.mayWait !== true &&
    job.input.length <= SMALL_INPUT_BYTES_MAX
  );
}

import { setFlagsFromString } from 'node:v8';

/** The heap may double, what V8 counts outside of it included, before all of it is collected. */
const HEAP_GROWING_PERCENT = 100;

let done = false;

/**
 * V8 decides by how fast memory is asked for how far the heap may grow until the next full collection. While blocks come
 * in, that is a third: with the 25 MiB of a young node a full collection for every 10 MiB of blocks, each marking all
 * that lives, with helper threads beside it. The flag is process-wide.
 */
export function setHeapGrowth(): void {
  if (done) return;
  done = true;
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
}

import { setFlagsFromString } from 'node:v8';

const done = new Set<string>();

/**
 * For whoever runs modules, before they are compiled.
 *
 * V8 notices a termination request in a WebAssembly loop only when the loop's tier-up budget is used up. With the default
 * budget (1,800,000) a loop around an 8 MB `memory.fill` runs on for half a minute after `worker.terminate()`.
 *
 * Young objects of a small heap are collected by four helper threads that mostly wait for each other: at thousands of jobs
 * a second they took as much time as the jobs (30 of 148 us each, on two cores), and the thread they help was not faster.
 */
export function setSandboxFlags(): void {
  setFlag('--wasm-tiering-budget=130000');
  setFlag('--no-parallel-scavenge');
}

/**
 * For whoever holds blocks. V8 decides by how fast memory is asked for how far the heap may grow until the next full
 * collection. While blocks come in, that is a third: with the 25 MiB of a young node a full collection for every 10 MiB of
 * blocks, each marking all that lives, with helper threads beside it. So the heap may double, what V8 counts outside of it
 * included.
 */
export function setNodeFlags(): void {
  setFlag('--heap-growing-percent=100');
}

/** Flags are the whole process's, and each is set once. */
function setFlag(flag: string): void {
  if (done.has(flag)) return;
  done.add(flag);
  setFlagsFromString(flag);
}

import { setFlagsFromString } from 'node:v8';

let done = false;

/**
 * Flags of the whole process, set before modules are compiled.
 *
 * V8 notices a termination request in a WebAssembly loop only when the loop's tier-up budget is used up. With the default
 * budget (1,800,000) a loop around an 8 MB `memory.fill` runs on for half a minute after `worker.terminate()`.
 *
 * Young objects of a small heap are collected by four helper threads that mostly wait for each other: at thousands of jobs
 * a second they took as much time as the jobs (30 of 148 us each, on two cores), and the thread they help was not faster.
 */
export function setV8Flags(): void {
  if (done) return;
  done = true;
  setFlagsFromString('--wasm-tiering-budget=130000');
  setFlagsFromString('--no-parallel-scavenge');
}

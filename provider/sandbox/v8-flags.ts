import { setFlagsFromString } from 'node:v8';

let done = false;

/**
 * V8 notices a termination request in a WebAssembly loop only when the loop's tier-up budget is used up. With the default
 * budget (1,800,000) a loop around an 8 MB `memory.fill` runs on for half a minute after `worker.terminate()`. The flag
 * is process-wide and must be set before the modules are compiled.
 */
export function setWasmFlags(): void {
  if (done) return;
  done = true;
  setFlagsFromString('--wasm-tiering-budget=130000');
}

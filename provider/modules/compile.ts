import { meter } from '../metering/index.ts';
import { assertAbi, hasDeliver, isWasiCommand, setupFuel } from '../sandbox/index.ts';
import type { LoadedModule } from '../sandbox/index.ts';

/** A compiled module without what only its fetch knows. */
export interface Compiled extends Omit<LoadedModule, 'cid' | 'compiledNow'> {
  /** What it takes in the cache, estimated. */
  cacheBytes: number;
}

/** Code of both tiers, metadata and the wire bytes that V8 keeps: measured at 5 to 8 times the module. */
const CACHE_BYTES_PER_BYTE = 8;
/** Imports that can wait for another thread or for the network. */
const MAY_WAIT = /^(?:block|state|path)_/;
const CACHE_BYTES_FIXED = 16 * 1024;

/** Meters a module, checks it against the host ABI and compiles it. @throws MeterError, AbiError */
export function compileModule(bytes: Uint8Array): Compiled {
  const metered = meter(bytes);
  assertAbi(metered);
  return {
    module: new WebAssembly.Module(metered.bytes as Uint8Array<ArrayBuffer>),
    sizeBytes: bytes.length,
    memoryPagesMin: metered.memoryPagesMin,
    setupFuel: setupFuel(metered.setup),
    hasStart: metered.hasStart,
    hasDeliver: hasDeliver(metered),
    // A command runs once: what its libraries keep after `_start` was never meant to be used again.
    resettable: metered.resettable && !isWasiCommand(metered),
    meterVersion: metered.meterVersion,
    mayWait: metered.imports.some(({ name }) => MAY_WAIT.test(name)),
    cacheBytes: CACHE_BYTES_FIXED + metered.bytes.length * CACHE_BYTES_PER_BYTE,
  };
}

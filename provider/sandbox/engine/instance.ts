import type { LoadedModule } from '../types.ts';

/** Exports that the metering adds. */
const FUEL = 'workswap_fuel';
const MEMORY_PAGES_MAX = 'workswap_memory_pages_max';
const STACK = 'workswap_stack';
const START = 'workswap_start';
const RESET = 'workswap_reset';

/** An instance larger than this is cheaper to make anew than to fill again. */
const RESTORE_BYTES_MAX = 4 * 1024 * 1024;

export const PAGE_BYTES = 65_536;

/** What a module's memory holds right after instantiation: zeros, but for one range. */
interface Snapshot {
  byteLength: number;
  start: number;
  bytes: Uint8Array;
}

/** One instance of a metered module, with the parts of it that the engine uses. */
export class Instance {
  readonly exports: WebAssembly.Exports;
  readonly memory: WebAssembly.Memory;
  readonly fuel: WebAssembly.Global<'i64'>;
  readonly memoryPagesMax: WebAssembly.Global<'i32'>;
  readonly start: (() => void) | undefined;
  readonly handle: () => void;
  /** Takes a message; a handler need not have it. */
  readonly deliver: (() => void) | undefined;
  /** True when `handle` is the `_start` of a WASI command. */
  readonly isCommand: boolean;
  readonly #stack: WebAssembly.Global<'i32'> | undefined;
  readonly #reset: (() => void) | undefined;
  readonly #snapshot: Snapshot | undefined;

  constructor(loaded: LoadedModule, imports: WebAssembly.Imports) {
    const { exports } = new WebAssembly.Instance(loaded.module, imports);
    this.exports = exports;
    // The loader has checked that these exist with these types.
    this.memory = exports['memory'] as WebAssembly.Memory;
    this.isCommand = exports['handle'] === undefined;
    this.handle = (this.isCommand ? exports['_start'] : exports['handle']) as () => void;
    this.deliver = this.isCommand ? undefined : (exports['deliver'] as (() => void) | undefined);
    this.fuel = exports[FUEL] as WebAssembly.Global<'i64'>;
    this.memoryPagesMax = exports[MEMORY_PAGES_MAX] as WebAssembly.Global<'i32'>;
    this.start = exports[START] as (() => void) | undefined;
    this.#stack = exports[STACK] as WebAssembly.Global<'i32'> | undefined;
    this.#reset = exports[RESET] as (() => void) | undefined;
    if (loaded.resettable && this.byteLength <= RESTORE_BYTES_MAX) {
      this.#snapshot = snapshotOf(loaded.module, this.memory.buffer);
    }
  }

  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /** True when the last call ended because its calls were nested too deep. */
  get depthExceeded(): boolean {
    return this.#stack !== undefined && this.#stack.value < 0;
  }

  /**
   * Sets memory and globals back to what they were after instantiation. Answers false when that is not possible; then
   * the instance must be dropped. Only to be called after a clean return: a trap may have left anything anywhere.
   */
  restore(): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || this.byteLength !== snapshot.byteLength) return false;
    const memory = new Uint8Array(this.memory.buffer);
    const end = snapshot.start + snapshot.bytes.length;
    memory.fill(0, 0, snapshot.start);
    memory.set(snapshot.bytes, snapshot.start);
    memory.fill(0, end);
    this.#reset?.();
    return true;
  }
}

const snapshots = new WeakMap<WebAssembly.Module, Snapshot>();

/** Memory right after instantiation is the same for every instance of a module. */
function snapshotOf(module: WebAssembly.Module, buffer: ArrayBuffer): Snapshot {
  let snapshot = snapshots.get(module);
  if (snapshot === undefined) {
    snapshot = takeSnapshot(buffer);
    snapshots.set(module, snapshot);
  }
  return snapshot;
}

function takeSnapshot(buffer: ArrayBuffer): Snapshot {
  // Four bytes at a time: memory is a whole number of pages.
  const words = new Uint32Array(buffer);
  let first = 0;
  let last = words.length;
  while (first < last && words[first] === 0) first += 1;
  while (last > first && words[last - 1] === 0) last -= 1;
  return { byteLength: buffer.byteLength, start: first * 4, bytes: new Uint8Array(buffer.slice(first * 4, last * 4)) };
}

import type { LoadedModule } from '../types.ts';
import { Instance } from './instance.ts';

/** Counted for an instance beside its memory: its tables, globals and wrappers. */
const INSTANCE_BYTES = 64 * 1024;

/**
 * Clean instances that wait for their module's next job; one per module is enough, since a worker runs one job at a
 * time. The least recently used go first.
 */
export class InstanceCache {
  readonly #bytesMax: number;
  readonly #dropped: (byteLength: number) => void;
  readonly #instances = new Map<WebAssembly.Module, Instance>();
  #bytes = 0;

  /** `dropped` hears of every instance that is left to the garbage collector. */
  constructor(bytesMax: number, dropped: (byteLength: number) => void = () => {}) {
    this.#bytesMax = bytesMax;
    this.#dropped = dropped;
  }

  take(loaded: LoadedModule, imports: WebAssembly.Imports): Instance {
    const cached = this.#instances.get(loaded.module);
    if (cached === undefined) return new Instance(loaded, imports);
    this.#instances.delete(loaded.module);
    this.#bytes -= sizeOf(cached);
    return cached;
  }

  /** Takes an instance back; `clean` says whether its job ended with a return. */
  release(loaded: LoadedModule, instance: Instance, clean: boolean): void {
    if (!clean || !instance.restore()) {
      this.drop(instance);
      return;
    }
    this.#instances.set(loaded.module, instance);
    this.#bytes += sizeOf(instance);
    for (const [module, oldest] of this.#instances) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#instances.delete(module);
      this.#bytes -= sizeOf(oldest);
      this.drop(oldest);
    }
  }

  /** Leaves an instance to the garbage collector. */
  drop(instance: Instance): void {
    this.#dropped(sizeOf(instance));
  }

  forget(module: WebAssembly.Module): void {
    const instance = this.#instances.get(module);
    if (instance === undefined) return;
    this.#instances.delete(module);
    this.#bytes -= sizeOf(instance);
    this.drop(instance);
  }
}

function sizeOf(instance: Instance): number {
  return instance.byteLength + INSTANCE_BYTES;
}

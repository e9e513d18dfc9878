import type { LoadedModule } from '../types.ts';

/** The modules that this worker has got from the main thread, by number; the least recently used go first. */
export class ModuleCache {
  readonly #bytesMax: number;
  readonly #fetch: () => LoadedModule;
  readonly #evicted: (module: WebAssembly.Module) => void;
  readonly #modules = new Map<number, LoadedModule>();
  #bytes = 0;

  constructor(bytesMax: number, fetch: () => LoadedModule, evicted: (module: WebAssembly.Module) => void) {
    this.#bytesMax = bytesMax;
    this.#fetch = fetch;
    this.#evicted = evicted;
  }

  get(moduleId: number): LoadedModule {
    const cached = this.#modules.get(moduleId);
    if (cached !== undefined) {
      this.#modules.delete(moduleId);
      this.#modules.set(moduleId, cached);
      return cached;
    }
    const loaded = this.#fetch();
    this.#modules.set(moduleId, loaded);
    this.#bytes += loaded.sizeBytes;
    for (const [id, oldest] of this.#modules) {
      if (this.#bytes <= this.#bytesMax || id === moduleId) break;
      this.#modules.delete(id);
      this.#bytes -= oldest.sizeBytes;
      this.#evicted(oldest.module);
    }
    return loaded;
  }
}

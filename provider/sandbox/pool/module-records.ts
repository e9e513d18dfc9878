const COLD_COUNT = 4;
const COLD_MS_MAX = 0.5;

/** What the pool remembers of a module. */
export class ModuleRecord {
  readonly id: number;
  /** Jobs that ran. */
  count = 0;
  /** Moving average of their time on a worker. */
  meanMs: number;

  constructor(id: number, meanMs: number) {
    this.id = id;
    this.meanMs = meanMs;
  }

  add(elapsedMs: number): void {
    this.count += 1;
    // The first jobs on new workers pay for compiling, and say little about those that follow.
    const weight = Math.max(1 / this.count, 1 / 8);
    const sample = this.count <= COLD_COUNT ? Math.min(elapsedMs, COLD_MS_MAX) : elapsedMs;
    this.meanMs += (sample - this.meanMs) * weight;
  }
}

/** A guess for modules that have not run yet. */
const UNKNOWN_MS = 1;

/** Numbers for modules, and how long their jobs take. Forgotten with the module. */
export class ModuleRecords {
  readonly #records = new WeakMap<WebAssembly.Module, ModuleRecord>();
  #lastId = 0;

  of(module: WebAssembly.Module): ModuleRecord {
    let record = this.#records.get(module);
    if (record === undefined) {
      this.#lastId += 1;
      record = new ModuleRecord(this.#lastId, UNKNOWN_MS);
      this.#records.set(module, record);
    }
    return record;
  }
}

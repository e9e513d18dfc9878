import { CID } from 'multiformats/cid';
import { defaultsOf, raceSignal, SANDBOX_LIMITS } from '../sandbox/index.ts';
import type { LoadedModule } from '../sandbox/index.ts';
import type { GetBlockOptions } from '../store/index.ts';
import { ByteCache } from '../store/index.ts';
import { Compiler } from './compiler.ts';
import { ModuleError } from './errors.ts';
import { fetchModule, notFound } from './fetch-module.ts';
import { MODULE_LIMITS } from './limits.ts';
import { SharedWork } from './shared-work.ts';
import type { ModuleLoader, ModuleLoaderOptions, ModuleLoaderStats } from './types.ts';

/** Refusals that are remembered, so that a bad module is looked at once and not with every request. */
const REFUSALS_BYTES_MAX = 1024 * 1024;
const REFUSAL_BYTES = 1024;

export function createModuleLoader(options: ModuleLoaderOptions): ModuleLoader {
  return new CachingLoader(options);
}

class CachingLoader implements ModuleLoader {
  readonly #options: Required<ModuleLoaderOptions>;
  readonly #cache: ByteCache<LoadedModule>;
  readonly #refusals = new ByteCache<ModuleError>(REFUSALS_BYTES_MAX);
  readonly #fetches = new SharedWork<Uint8Array>();
  readonly #loads = new SharedWork<LoadedModule>();
  readonly #compiler: Compiler;
  #compiled = 0;
  #refused = 0;

  constructor(options: ModuleLoaderOptions) {
    this.#options = {
      ...defaultsOf(MODULE_LIMITS),
      memoryPagesMax: SANDBOX_LIMITS.memoryPagesMax.default,
      ...options,
    };
    this.#cache = new ByteCache(this.#options.cacheBytesMax);
    this.#compiler = new Compiler(this.#options.compileTimeoutMs);
  }

  async load(cid: CID, options: GetBlockOptions = {}): Promise<LoadedModule> {
    const ready = this.ready(cid);
    if (ready !== undefined) return ready;
    const { settled, first } = await this.#loads.join(
      cid.toString(),
      (signal) => this.#make(cid, { ...options, signal }),
      options.signal,
    );
    if ('value' in settled) return first ? { ...settled.value, compiledNow: true } : settled.value;
    const { error } = settled;
    throw error instanceof ModuleError ? error.copy(first ? error.sizeBytes : 0) : error;
  }

  async compileSize(cid: CID, options: GetBlockOptions = {}): Promise<number> {
    if (this.ready(cid) !== undefined) return 0;
    return (await this.#fetch(cid, options)).length;
  }

  loaded(): CID[] {
    return [...this.#cache.keys()].map((key) => CID.parse(key));
  }

  stats(): ModuleLoaderStats {
    return {
      cached: this.#cache.size,
      cachedBytes: this.#cache.bytes,
      compiled: this.#compiled,
      refused: this.#refused,
    };
  }

  async close(): Promise<void> {
    const reason = new Error('the module loader is closed');
    this.#fetches.abort(reason);
    this.#loads.abort(reason);
    await this.#compiler.close();
  }

  ready(cid: CID): LoadedModule | undefined {
    const key = cid.toString();
    const refusal = this.#refusals.get(key);
    if (refusal !== undefined) throw refusal.copy(0);
    return this.#cache.get(key);
  }

  async #make(cid: CID, options: GetBlockOptions & { signal: AbortSignal }): Promise<LoadedModule> {
    const key = cid.toString();
    try {
      const bytes = await this.#fetch(cid, options);
      const { cacheBytes, ...compiled } = await this.#compiler.compile(key, bytes, options.signal);
      const loaded: LoadedModule = { cid: key, ...compiled };
      this.#assertMemory(loaded);
      this.#compiled += 1;
      this.#cache.set(key, loaded, cacheBytes);
      return loaded;
    } catch (error) {
      // What is retryable says nothing about the module.
      if (error instanceof ModuleError && !error.retryable) {
        this.#refused += 1;
        this.#refusals.set(key, error, REFUSAL_BYTES);
      }
      throw error;
    }
  }

  async #fetch(cid: CID, options: GetBlockOptions): Promise<Uint8Array> {
    const { getBlock, moduleBytesMax, fetchTimeoutMs } = this.#options;
    const work = async (signal: AbortSignal): Promise<Uint8Array> => {
      const timeout = AbortSignal.timeout(fetchTimeoutMs);
      const either = AbortSignal.any([signal, timeout]);
      try {
        either.throwIfAborted();
        return await raceSignal(fetchModule(cid, moduleBytesMax, getBlock, { ...options, signal: either }), either);
      } catch (error) {
        if (signal.aborted || !timeout.aborted) throw error;
        throw notFound(cid, new Error(`it did not arrive within ${fetchTimeoutMs} ms`));
      }
    };
    const { settled } = await this.#fetches.join(cid.toString(), work, options.signal);
    if ('value' in settled) return settled.value;
    throw settled.error;
  }

  #assertMemory({ cid, memoryPagesMin, sizeBytes }: LoadedModule): void {
    const { memoryPagesMax } = this.#options;
    if (memoryPagesMin <= memoryPagesMax) return;
    throw new ModuleError(
      'MEMORY_LIMIT',
      `The handler ${cid} starts with ${memoryPagesMin} pages of memory; this provider gives at most ${memoryPagesMax}.`,
      { fault: 'handler', cid, sizeBytes },
    );
  }
}

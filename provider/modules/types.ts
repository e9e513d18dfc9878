import type { CID } from 'multiformats/cid';
import type { LoadedModule } from '../sandbox/index.ts';
import type { GetBlock, GetBlockOptions } from '../store/index.ts';
import type { MODULE_LIMITS } from './limits.ts';

export interface ModuleLoaderOptions extends Partial<Record<keyof typeof MODULE_LIMITS, number>> {
  /** Finds a block: the block store, else the network. Its bytes are verified again here. */
  getBlock: GetBlock;
  /** Memory that a module may start with: more than that no job here could give it. */
  memoryPagesMax?: number;
}

export interface ModuleLoaderStats {
  cached: number;
  cachedBytes: number;
  compiled: number;
  refused: number;
}

export interface ModuleLoader {
  /**
   * The handler with this CID, ready to run: a raw block or a UnixFS file, verified, metered and compiled. However many
   * ask at once, it is fetched and compiled once, and one caller's abort does not touch the others.
   *
   * @throws ModuleError; its `sizeBytes` is set for the one caller who has to answer for the attempt
   */
  load(cid: CID, options?: GetBlockOptions): Promise<LoadedModule>;
  /** The same at once, if it is compiled already. @throws ModuleError when it is known to be bad */
  ready(cid: CID): LoadedModule | undefined;
  /** Size of the module that `load` would compile for its caller now; 0 when it is compiled already. */
  compileSize(cid: CID, options?: GetBlockOptions): Promise<number>;
  /** Handlers that are ready to run. */
  loaded(): CID[];
  stats(): ModuleLoaderStats;
  close(): Promise<void>;
}

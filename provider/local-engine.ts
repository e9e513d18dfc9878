import { CID } from 'multiformats/cid';
import { WorkswapError } from '../sdk/protocol/index.ts';
import { parseConfig } from './config.ts';
import { createModuleLoader } from './modules/index.ts';
import type { ModuleLoader } from './modules/index.ts';
import { createSandbox, SANDBOX_LIMITS } from './sandbox/index.ts';
import type { Sandbox } from './sandbox/index.ts';
import { openBlockstore, openFile } from './store/index.ts';
import type { GetBlock } from './store/index.ts';

/** A sandbox with the blocks of one directory and no network: what `run` and `verify` execute with. */
export interface LocalEngine {
  getBlock: GetBlock;
  modules: ModuleLoader;
  sandbox: Sandbox;
  close(): Promise<void>;
}

export async function openLocalEngine(
  directory: string | undefined,
  extra: ReadonlyMap<string, Uint8Array> = new Map(),
  fallback?: GetBlock,
): Promise<LocalEngine> {
  const blockstore = directory === undefined ? undefined : await openBlockstore(directory);
  const getBlock: GetBlock = async (cid, options) => {
    const own = extra.get(cid.toString());
    if (own !== undefined) return own;
    if (blockstore !== undefined && (await blockstore.has(cid))) {
      for await (const bytes of blockstore.get(cid)) return bytes;
    }
    if (fallback !== undefined) return fallback(cid, options);
    throw new BlockMissingError(cid);
  };
  const { modules: limits, sandbox } = parseConfig({}, 'defaults');
  const engine = createSandbox({
    threads: 1,
    timeoutMsMax: sandbox.timeoutMsMax,
    // The provider whose receipt is verified may have allowed more than the defaults.
    inputBytesMax: SANDBOX_LIMITS.inputBytesMax.max,
    outputBytesMax: SANDBOX_LIMITS.outputBytesMax.max,
    queueBytesMax: SANDBOX_LIMITS.queueBytesMax.max,
    memoryBytesMax: SANDBOX_LIMITS.memoryBytesMax.max,
    readFile: async (cid, offset, length, signal) =>
      (await openFile(CID.decode(cid), getBlock, { signal })).read(offset, length),
    fileSize: async (cid, signal) => (await openFile(CID.decode(cid), getBlock, { signal })).size,
  });
  const modules = createModuleLoader({ getBlock, ...limits, memoryPagesMax: sandbox.memoryPagesMax });
  return {
    getBlock,
    sandbox: engine,
    modules,
    async close() {
      await modules.close();
      await engine.close();
    },
  };
}

export class BlockMissingError extends WorkswapError {
  constructor(cid: CID) {
    super(
      'BLOCK_UNAVAILABLE',
      `Block ${cid.toString()} is not in this directory. Publish it, or name the peer that has it.`,
      {
        fault: 'consumer',
        retryable: true,
      },
    );
  }
}

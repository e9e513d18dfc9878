import type { CID } from 'multiformats/cid';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { Hashers, StoreError, openFile, type GetBlock, type GetBlockOptions } from '../store/index.ts';
import { ModuleError } from './errors.ts';

const RAW_CODE = 0x55;
const DAG_PB_CODE = 0x70;
const IDENTITY_CODE = 0x00;

/** What a UnixFS file may take on top of its bytes: its inner nodes, and blocks that hold nothing. */
const OVERHEAD_BYTES_MAX = 1024 * 1024;
const BLOCKS_MAX = 4096;

const hashers = new Hashers();

/**
 * The bytes of a module by its CID: one raw block, or a UnixFS file. No more is fetched than a module may have, whatever
 * the file says of itself.
 */
export async function fetchModule(
  cid: CID,
  bytesMax: number,
  getBlock: GetBlock,
  options: GetBlockOptions,
): Promise<Uint8Array> {
  if (cid.code !== RAW_CODE && cid.code !== DAG_PB_CODE) {
    throw new ModuleError(
      'UNSUPPORTED_CID',
      `${cid} has the codec 0x${cid.code.toString(16)}; a handler is a raw block or a file.`,
      {
        fault: 'consumer',
        cid: cid.toString(),
      },
    );
  }
  try {
    const getVerified = boundedGetBlock(cid, bytesMax, getBlock);
    if (cid.code === RAW_CODE) return await getVerified(cid, options);
    const file = await openFile(cid, getVerified, options);
    if (file.size > bytesMax) throw tooLarge(cid, file.size, bytesMax);
    return await file.read(0, file.size);
  } catch (error) {
    if (error instanceof ModuleError || options.signal?.aborted === true) throw error;
    if (error instanceof WorkswapError && error.code === 'NOT_A_FILE') {
      throw new ModuleError('NOT_A_FILE', error.message, { fault: 'consumer', cid: cid.toString(), cause: error });
    }
    if (error instanceof StoreError) throw error;
    throw notFound(cid, error);
  }
}

/** Verifies every block, and bounds how many of them, and of how many bytes, one module may consist. */
function boundedGetBlock(root: CID, bytesMax: number, getBlock: GetBlock): GetBlock {
  let blocks = 0;
  let bytes = 0;
  return async (cid, options) => {
    blocks += 1;
    if (blocks > BLOCKS_MAX) {
      throw new ModuleError(
        'MODULE_TOO_LARGE',
        `${root} has more than ${BLOCKS_MAX} blocks. Publish it as one raw block.`,
        {
          fault: 'handler',
          cid: root.toString(),
        },
      );
    }
    const block = await getBlock(cid, options);
    bytes += block.length;
    const bound = cid.equals(root) && cid.code === RAW_CODE ? bytesMax : bytesMax + OVERHEAD_BYTES_MAX;
    if (bytes > bound) throw tooLarge(root, bytes, bytesMax);
    if (!matches(cid, block)) throw new Error(`the block ${cid} does not match its CID`);
    return block;
  };
}

function matches({ multihash }: CID, block: Uint8Array): boolean {
  const { code, digest } = multihash;
  const actual = code === IDENTITY_CODE ? block : hashers.digest(code, digest.length, block);
  return actual !== undefined && actual.length === digest.length && actual.every((byte, i) => byte === digest[i]);
}

export function tooLarge(cid: CID, size: number, max: number): ModuleError {
  return new ModuleError(
    'MODULE_TOO_LARGE',
    `The handler ${cid} has ${size} bytes; this provider allows ${max}. Build it smaller.`,
    {
      fault: 'handler',
      cid: cid.toString(),
    },
  );
}

export function notFound(cid: CID, cause: unknown): ModuleError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ModuleError(
    'HANDLER_NOT_FOUND',
    `The handler ${cid} could not be fetched: ${reason}. Serve it, or try again later.`,
    {
      fault: 'consumer',
      retryable: true,
      cid: cid.toString(),
      cause,
    },
  );
}

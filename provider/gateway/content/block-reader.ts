import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { WorkswapError } from '../../../sdk/protocol/index.ts';
import type { GetBlock } from '../../store/index.ts';
import { HttpError } from '../http/index.ts';
import { BLOCKS_PER_REQUEST_MAX, PATH_BYTES_MAX } from './limits.ts';

const IDENTITY = 0x00;

export interface Block {
  cid: CID;
  bytes: Uint8Array;
}

/** The blocks of one request: counted, remembered in the order they were needed, with a deadline for each. */
export class BlockReader {
  /** What was read, for the CAR that proves a path. */
  readonly blocks: Block[] = [];
  #bytes = 0;
  readonly #getBlock: GetBlock;
  readonly #timeoutMs: number;
  readonly signal: AbortSignal;

  constructor(getBlock: GetBlock, signal: AbortSignal, timeoutMs: number) {
    this.#getBlock = getBlock;
    this.signal = signal;
    this.#timeoutMs = timeoutMs;
  }

  async get(cid: CID): Promise<Uint8Array> {
    if (this.blocks.length >= BLOCKS_PER_REQUEST_MAX) {
      throw new HttpError(500, 'TOO_MANY_BLOCKS', `To answer this takes more than ${BLOCKS_PER_REQUEST_MAX} blocks`);
    }
    const bytes = await this.fetch(cid);
    this.#bytes += bytes.length;
    if (this.#bytes > PATH_BYTES_MAX) {
      throw new HttpError(500, 'TOO_MANY_BLOCKS', `To answer this takes blocks of more than ${PATH_BYTES_MAX} bytes`);
    }
    this.blocks.push({ cid, bytes });
    return bytes;
  }

  /** The same for content, which is not remembered. */
  readonly fetch = async (cid: CID): Promise<Uint8Array> => {
    if (cid.multihash.code === IDENTITY) return cid.multihash.digest;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      return await this.#getBlock(cid, { signal: AbortSignal.any([this.signal, timeout]) });
    } catch (error) {
      throw asHttpError(error, cid, this.signal, timeout);
    }
  };
}

export function isIdentity(cid: CID): boolean {
  return cid.multihash.code === IDENTITY;
}

export function isRaw(cid: CID): boolean {
  return cid.code === raw.code;
}

/** What is not to be had is 404 when whoever could have it said no, and 504 when nobody answered in time. */
function asHttpError(error: unknown, cid: CID, signal: AbortSignal, timeout: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (timeout.aborted) {
    return new HttpError(504, 'BLOCK_TIMEOUT', `Nobody sent the block ${cid} in time`, {
      headers: { 'retry-after': '10' },
      retryable: true,
      cause: error,
    });
  }
  if (error instanceof WorkswapError && error.code === 'BLOCK_UNAVAILABLE') {
    return new HttpError(404, 'BLOCK_UNAVAILABLE', `Nobody whom this gateway can ask has the block ${cid}`, {
      retryable: true,
      cause: error,
    });
  }
  return error;
}

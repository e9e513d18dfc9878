import type { Libp2p, PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import type { Bitswap } from '../bitswap/index.ts';
import { linkKind, linksOf, walkDag, type BlockQuota, type FastBlockstore } from '../store/index.ts';
import { PinError } from './errors.ts';
import type { PinningLimits } from './limits.ts';
import { dialOrigins, usableOrigins } from './origins.ts';

export interface FetchRooms {
  libp2p: Libp2p;
  bitswap: Bitswap;
  blockstore: FastBlockstore;
  /** What the block store may take, if that is bounded. */
  quota?: BlockQuota | undefined;
  /** Origins in our own network may be dialled. */
  privateOrigins: boolean;
  limits: PinningLimits;
}

export interface FetchOptions {
  origins: readonly string[];
  /** Peers that may have it besides the origins. */
  peers: PeerId[];
  /** Blocks that this fetch may wait for at the same time. */
  parallel: () => number;
  /** A block is here, fetched now or there before. */
  onBlock: (bytes: number) => void;
  signal: AbortSignal;
}

/** How often it is looked at whether anything came, as a part of `notFoundMs`. */
const CHECKS = 8;

/**
 * Fetches a whole DAG, or what of it is missing: it can be broken off and begun again at any time. Memory is bounded by
 * the blocks under way and 16 bytes for each block.
 * @throws PinError CONTENT_NOT_FOUND, STORE_QUOTA, CODEC_UNKNOWN, BLOCK_MALFORMED, DAG_TOO_LARGE; DagTooWideError; StoreError
 */
export async function fetchPin(root: CID, rooms: FetchRooms, options: FetchOptions): Promise<void> {
  const { bitswap, blockstore, libp2p, limits, quota } = rooms;
  const { onBlock, parallel } = options;
  await quota?.counted();
  const quiet = new AbortController();
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, quiet.signal, over.signal]);
  const session = bitswap.createSession({ peers: options.peers });
  const waiting = new Set<CID>();
  let blocks = 0;
  let bytes = 0;
  let progressMs = performance.now();

  function count(blockBytes: number): void {
    blocks++;
    bytes += blockBytes;
    progressMs = performance.now();
    if (blocks > limits.pinBlocksMax) throw tooLarge(root, `${limits.pinBlocksMax} blocks`);
    if (bytes > limits.pinBytesMax) throw tooLarge(root, `${limits.pinBytesMax} bytes`);
    onBlock(blockBytes);
  }
  function checkQuota(): void {
    if (quota?.isFull !== true) return;
    throw new PinError('STORE_QUOTA', `The block store has the ${quota.bytesMax} bytes that it may have.`);
  }
  async function visit(cid: CID): Promise<Iterable<CID>> {
    const kind = linkKind(cid);
    if (kind === 'unknown') {
      throw new PinError(
        'CODEC_UNKNOWN',
        `${cid} has the codec 0x${cid.code.toString(16)}, whose links are not known.`,
      );
    }
    // Only what is not here takes room.
    const isHere = quota !== undefined && (await blockstore.size(cid)) !== undefined;
    if (!isHere) checkQuota();
    waiting.add(cid);
    // What leads nowhere need not be read.
    const coming = kind === 'leaf' ? session.fetch(cid, { signal }) : session.get(cid, { signal });
    const block = await coming.finally(() => waiting.delete(cid));
    // Others were under way with it.
    if (!isHere) checkQuota();
    count(typeof block === 'number' ? block : block.length);
    if (typeof block === 'number') return [];
    try {
      return linksOf(cid, block);
    } catch (error) {
      throw new PinError('BLOCK_MALFORMED', `The block ${cid} is not what its codec says.`, error);
    }
  }

  const check = setInterval(() => {
    if (performance.now() - progressMs > limits.notFoundMs) quiet.abort();
  }, limits.notFoundMs / CHECKS);
  const origins = usableOrigins(options.origins, { privateAddresses: rooms.privateOrigins });
  void dialOrigins(libp2p, origins, signal).then(() => {
    if (signal.aborted) return;
    for (const { peer } of origins.values()) if (libp2p.getConnections(peer).length > 0) session.addPeer(peer);
  });
  try {
    await walkDag([root], { visit, parallel, signal });
  } catch (error) {
    if (!quiet.signal.aborted || options.signal.aborted) throw error;
    const [missing] = waiting;
    const seconds = Math.round(limits.notFoundMs / 1000);
    throw new PinError(
      'CONTENT_NOT_FOUND',
      `Nobody has sent ${missing === undefined ? 'anything' : `the block ${missing}`} for ${seconds} s; ${blocks} blocks are here.`,
    );
  } finally {
    clearInterval(check);
    over.abort();
    session.close();
  }
}

function tooLarge(root: CID, limit: string): PinError {
  return new PinError('DAG_TOO_LARGE', `${root} has more than ${limit}, which is the limit of this provider.`);
}

import type { PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { fetchDag, type GetBlock } from '../../store/index.ts';
import { ServiceError } from '../errors.ts';
import type { ServicesLimits } from '../limits.ts';

interface FetchOptions {
  peers: PeerId[];
  signal: AbortSignal;
}

/**
 * Fetches a site as a whole, from its maintainer first. What is larger than agreed is given up at the first block beyond.
 * @throws ServiceError CONTENT_TOO_LARGE; why a block cannot be had
 */
export function fetchSite(
  site: CID,
  getBlock: GetBlock,
  { siteBytesMax, siteBlocksMax }: ServicesLimits,
  options: FetchOptions,
): Promise<void> {
  return fetchBounded(
    `The site ${site}`,
    site,
    getBlock,
    { bytesMax: siteBytesMax, blocksMax: siteBlocksMax },
    options,
  );
}

/**
 * Everything that a commit leads to: the commits before it with their states, tasks and inputs. A state that moves here
 * has its whole history here, and can be rolled back.
 * @throws ServiceError CONTENT_TOO_LARGE; why a block cannot be had
 */
export function fetchHistory(
  commit: CID,
  getBlock: GetBlock,
  { historyBytesMax, historyBlocksMax }: ServicesLimits,
  options: FetchOptions,
): Promise<void> {
  const limits = { bytesMax: historyBytesMax, blocksMax: historyBlocksMax };
  return fetchBounded(`The history ${commit}`, commit, getBlock, limits, options);
}

async function fetchBounded(
  what: string,
  root: CID,
  getBlock: GetBlock,
  { bytesMax, blocksMax }: { bytesMax: number; blocksMax: number },
  options: FetchOptions,
): Promise<void> {
  let blocks = 0;
  let bytes = 0;
  const bounded: GetBlock = async (cid, from) => {
    options.signal.throwIfAborted();
    if (++blocks > blocksMax) throw tooLarge(what, `${blocksMax} blocks`);
    const block = await getBlock(cid, from);
    bytes += block.length;
    if (bytes > bytesMax) throw tooLarge(what, `${bytesMax} bytes`);
    return block;
  };
  await fetchDag(root, bounded, options);
}

function tooLarge(what: string, limit: string): ServiceError {
  return new ServiceError('CONTENT_TOO_LARGE', `${what} has more than ${limit}, which is this provider's limit.`);
}

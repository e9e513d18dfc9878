import type { PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { fetchDag, type GetBlock } from '../../store/index.ts';
import { ServiceError } from '../errors.ts';
import type { ServicesLimits } from '../limits.ts';

/**
 * Fetches a site as a whole, from its maintainer first. What is larger than agreed is given up at the first block beyond.
 * @throws ServiceError SITE_TOO_LARGE; why a block cannot be had
 */
export async function fetchSite(
  site: CID,
  getBlock: GetBlock,
  { siteBytesMax, siteBlocksMax }: Pick<ServicesLimits, 'siteBytesMax' | 'siteBlocksMax'>,
  options: { peers: PeerId[]; signal: AbortSignal },
): Promise<void> {
  let blocks = 0;
  let bytes = 0;
  const bounded: GetBlock = async (cid, from) => {
    options.signal.throwIfAborted();
    if (++blocks > siteBlocksMax) throw tooLarge(site, `${siteBlocksMax} blocks`);
    const block = await getBlock(cid, from);
    bytes += block.length;
    if (bytes > siteBytesMax) throw tooLarge(site, `${siteBytesMax} bytes`);
    return block;
  };
  await fetchDag(site, bounded, options);
}

function tooLarge(site: CID, limit: string): ServiceError {
  return new ServiceError('SITE_TOO_LARGE', `The site ${site} has more than ${limit}, which is this provider's limit.`);
}

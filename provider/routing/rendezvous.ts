import { WORKSWAP_PROTOCOL, rawCid } from '../../sdk/protocol/index.ts';
import type { CID } from 'multiformats/cid';

/**
 * What every provider announces to be found by consumers who know none: the CID of the raw block whose bytes are the name
 * of the protocol that it serves.
 */
export const PROVIDER_RENDEZVOUS: CID = rawCid(new TextEncoder().encode(WORKSWAP_PROTOCOL));

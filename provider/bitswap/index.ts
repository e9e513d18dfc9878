export {
  type Bitswap,
  type BitswapComponents,
  type BitswapInit,
  type BitswapStats,
  createBitswap,
  type GetOptions,
  type WantlistEntry,
} from './bitswap.ts';

export type { ContentRouter, Provider } from './client/provider-search.ts';
export type { Session } from './client/session.ts';
export { BITSWAP_PROTOCOLS, type BitswapLimits, DEFAULT_LIMITS } from './constants.ts';
export { BitswapStoppedError, BlockUnavailableError, InvalidMessageError, UnsupportedHashError } from './errors.ts';
export type { FastBlockstore, Hasher } from '../store/index.ts';
export { networkedBlockstore } from './networked-blockstore.ts';
export type { PeerBlockRequestFilter, Task, TaskComparator } from './server/types.ts';

import type { CID } from 'multiformats/cid';
import type { FetchSession } from './session.ts';
import type { PeerClient } from './peer-client.ts';

/** A block that came, and is in the store. */
export interface Delivered {
  size: number;
  /** Undefined when they were given to the store, since nobody needed them when the block came. */
  bytes: Uint8Array | undefined;
}

/** Somebody who called get() or fetch(). */
export interface Waiter {
  readonly session: FetchSession;
  readonly needsBytes: boolean;
  resolve: (block: Delivered) => void;
  reject: (error: Error) => void;
}

/**
 * - pending: in its session's queue, until a peer has room for it
 * - asked: at least one peer is asked for the block or for its presence
 * - parked: everybody we know has said no; waits for a new peer, a late HAVE or the router
 * - storing: the block is here, verified, on its way into the store
 */
export type WantState = 'pending' | 'asked' | 'parked' | 'storing';

/** A block that we want. One for each multihash, however many callers, sessions and codecs ask for it. */
export interface Want {
  readonly key: string;
  readonly cid: CID;
  readonly waiters: Set<Waiter>;
  /** The session whose peers are tried first; another waiter's session takes over when it closes. */
  owner: FetchSession;
  state: WantState;
  /** Who is to send us the block now. At most one, so that it does not come twice. */
  asked: PeerClient | undefined;
  /** When `asked` was asked. */
  askedMs: number;
  /** Counts in its session's `probing`. */
  probing: boolean;
  /** Peers that were asked whether they have it and have not answered. */
  readonly probed: Map<PeerClient, number>;
  /** Peers that said DONT_HAVE, did not answer, or are gone; with how often. */
  readonly tried: Map<string, number>;
  /** Peers that said HAVE and are not asked for the block. */
  readonly holders: Set<PeerClient>;
  /** Everybody who still has this want on his list: to be told when it is over. */
  readonly told: Set<PeerClient>;
}

/** A peer that has said no so often for one block is not believed when it says HAVE again. */
export const TRIES_MAX = 4;

export function createWant(key: string, cid: CID, owner: FetchSession): Want {
  return {
    key,
    cid,
    waiters: new Set(),
    owner,
    state: 'pending',
    asked: undefined,
    askedMs: 0,
    probing: false,
    probed: new Map(),
    tried: new Map(),
    holders: new Set(),
    told: new Set(),
  };
}

export const BITSWAP_120 = '/ipfs/bitswap/1.2.0';
export const BITSWAP_110 = '/ipfs/bitswap/1.1.0';
export const BITSWAP_100 = '/ipfs/bitswap/1.0.0';
export const BITSWAP_NO_VERSION = '/ipfs/bitswap';

/** Best first: 1.2 has HAVE and DONT_HAVE, 1.1 has CID prefixes, 1.0 and the unversioned one know only CIDv0. */
export const BITSWAP_PROTOCOLS: readonly string[] = [BITSWAP_120, BITSWAP_110, BITSWAP_100, BITSWAP_NO_VERSION];

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Everything that an engine holds on behalf of somebody else, with its limit. The defaults bound what one hostile peer
 * costs to a few MiB and what all of them together cost to about 200 MiB.
 */
export interface BitswapLimits {
  /** A longer incoming message resets the stream. boxo and Helia use the same 4 MiB. */
  messageBytesMax: number;
  /** A longer block is neither served nor stored. 2 MiB is what every implementation must carry. */
  blockBytesMax: number;
  /** Entries of one message that do not decode (bad CID, bad prefix) before its stream is reset. */
  invalidEntriesMax: number;
  /** Wants that are remembered for one peer over all its messages; go-bitswap's MaxQueuedWantlistEntriesPerPeer. */
  wantsPerPeerMax: number;
  /** Wants that are remembered for all peers together. */
  wantsTotalMax: number;
  /** Bytes of blocks that are loaded or under way to one peer. */
  outstandingPerPeerBytes: number;
  /** Bytes of blocks that are loaded or under way to all peers together; who comes later waits in order of merit. */
  outstandingTotalBytes: number;
  /** Blocks are packed into one message up to this size; a single larger block travels alone. */
  messageTargetBytes: number;
  /** Up to this size a want-have is answered with the block itself. */
  replaceHaveWithBlockBytesMax: number;
  /** A message that the peer has not taken after this time is given up, and its stream with it. */
  sendTimeoutMs: number;
  /** A message that has begun to arrive must be complete after this time, however steadily it drips. */
  receiveTimeoutMs: number;
  /** Bytes of unfinished messages from one peer, over all its streams. */
  partialPerPeerBytes: number;
  /** Bytes of unfinished messages from all peers together. */
  partialTotalBytes: number;
  /** Streams that one connection may have open towards us. boxo opens about one for each block. */
  inboundStreamsMax: number;
  /** Bytes of blocks that nobody asked for, from one peer, before its streams are reset. */
  junkPerPeerBytes: number;
  /** Blocks that one peer is asked for at the same time. */
  asksPerPeerMax: number;
  /** Estimated bytes that one peer is asked for at the same time. */
  askedPerPeerBytes: number;
  /** A peer that owes us blocks and has delivered nothing for this time counts as stalled; its wants go elsewhere. */
  stallTimeoutMs: number;
  /** No block stays with one peer longer than this while another could be asked. */
  askTimeoutMs: number;
  /** How long `get` waits when its caller gave no AbortSignal. */
  getTimeoutMs: number;
  /** Time without any answer after which the router is asked for providers. */
  routerDelayMs: number;
  /** Pause between two searches for the same block; doubles each time. */
  routerRetryMs: number;
  /** Providers that are dialled for one search. */
  providersPerSearchMax: number;
  /** Searches that run at the same time. */
  searchesMax: number;
  /** A want-block that was refused for credit and announced by HAVE is served outright after this time, for peers that never ask twice. */
  haveGraceMs: number;
}

export const DEFAULT_LIMITS: BitswapLimits = {
  messageBytesMax: 4 * MIB,
  blockBytesMax: 2 * MIB,
  invalidEntriesMax: 16,
  wantsPerPeerMax: 1024,
  wantsTotalMax: 128 * KIB,
  outstandingPerPeerBytes: MIB,
  outstandingTotalBytes: 64 * MIB,
  messageTargetBytes: 256 * KIB,
  replaceHaveWithBlockBytesMax: KIB,
  sendTimeoutMs: 60_000,
  receiveTimeoutMs: 120_000,
  partialPerPeerBytes: 8 * MIB,
  partialTotalBytes: 128 * MIB,
  inboundStreamsMax: 1024,
  junkPerPeerBytes: 16 * MIB,
  asksPerPeerMax: 512,
  askedPerPeerBytes: 8 * MIB,
  stallTimeoutMs: 5_000,
  askTimeoutMs: 30_000,
  getTimeoutMs: 60_000,
  routerDelayMs: 1_000,
  routerRetryMs: 30_000,
  providersPerSearchMax: 10,
  searchesMax: 8,
  haveGraceMs: 2_000,
};

/** A CID longer than this in a want is ignored, as in boxo. */
export const CID_BYTES_MAX = 168;

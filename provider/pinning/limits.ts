import type { Limit } from '../sandbox/limits.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const TIB = 1024 ** 4;

/** The numbers of the table `[pinning]` of the config. docs/pinning.md has what happens beyond each. */
export const PINNING_LIMITS = {
  /** Pins of one owner, and of all. */
  pinsPerOwnerMax: { default: 100_000, min: 1, max: 10_000_000 },
  pinsMax: { default: 1_000_000, min: 1, max: 10_000_000 },
  /** Blocks and bytes of one pin. */
  pinBlocksMax: { default: 20_000_000, min: 1, max: 100_000_000 },
  pinBytesMax: { default: TIB, min: 1, max: 1024 * TIB },
  /** Pins that fetch at the same time; who waits gets the place of one that has had its turn. */
  fetchesMax: { default: 16, min: 1, max: 256 },
  fetchTurnMs: { default: 30_000, min: 10, max: DAY_MS },
  /** Blocks that all fetches wait for at the same time. */
  blocksAheadMax: { default: 512, min: 1, max: 4096 },
  /** A fetch to which no block has come for so long has found nobody; it is tried again, ever more seldom, until it is given up. */
  notFoundMs: { default: MINUTE_MS, min: 10, max: HOUR_MS },
  retryMsMin: { default: MINUTE_MS, min: 10, max: DAY_MS },
  retryMsMax: { default: 6 * HOUR_MS, min: 10, max: 30 * DAY_MS },
  /** What keeping a GiB for a second costs who is not an own device or a friend: 400 keeps a byte for 31 days for a byte. */
  storagePriceBytes: { default: 400, min: 0, max: 2 ** 30 },
  /** What is paid for at once, and renewed for owners that are around. */
  prepaidMs: { default: 7 * DAY_MS, min: 1_000, max: 366 * DAY_MS },
  /** Bytes of the block store; 0: no limit. Near it garbage is collected, beyond it nothing more is fetched for pins. */
  storeBytesMax: { default: 0, min: 0, max: 1024 * TIB },
  /** Blocks that came or were put within this time are not collected. */
  gcFreshMs: { default: HOUR_MS, min: 2 * MINUTE_MS, max: 30 * DAY_MS },
  giveUpMs: { default: 7 * DAY_MS, min: 10, max: 365 * DAY_MS },
} as const satisfies Record<string, Limit>;

export type PinningLimits = { [name in keyof typeof PINNING_LIMITS]: number };

/** Of the IPFS Pinning Service API 1.0.0. */
export const NAME_LENGTH_MAX = 255;
export const ORIGINS_MAX = 20;
export const META_ENTRIES_MAX = 1000;
export const CIDS_IN_FILTER_MAX = 10;
export const RESULTS_DEFAULT = 10;
export const RESULTS_MAX = 1000;
export const DELEGATES_MAX = 20;

export const DEVICE_LENGTH_MAX = 64;
export const TOKENS_PER_OWNER_MAX = 100;

/** Ours: what one pin may take in the table. */
export const CID_LENGTH_MAX = 256;
export const ORIGIN_LENGTH_MAX = 512;
export const META_BYTES_MAX = 16 * 1024;

import type { Limit } from '../sandbox/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const DAY_MS = 24 * 3_600_000;
const MAX = Number.MAX_SAFE_INTEGER;

/** `[mailbox]` of workswap.toml: what messages of others may take, and what they cost. */
export const MAILBOX_LIMITS = {
  /** Peers that have a mailbox here. */
  mailboxesMax: { default: 10_000, min: 0, max: MAX },
  /** All messages of all mailboxes. */
  bytesMax: { default: 16 * GIB, min: 0, max: MAX },
  /** Waiting for one recipient. */
  messagesPerRecipientMax: { default: 200_000, min: 1, max: MAX },
  bytesPerRecipientMax: { default: 1 * GIB, min: 1, max: MAX },
  /** Of one sender, waiting for one recipient: nobody fills somebody's mailbox alone. */
  messagesPerSenderMax: { default: 20_000, min: 1, max: MAX },
  bytesPerSenderMax: { default: 128 * MIB, min: 1, max: MAX },
  /** Files that messages name: one, all of one sender, all. */
  fileBytesMax: { default: 64 * MIB, min: 0, max: MAX },
  filesBytesPerSenderMax: { default: 1 * GIB, min: 0, max: MAX },
  filesBytesMax: { default: 64 * GIB, min: 0, max: MAX },
  /** Longest time that a message is kept for. */
  ttlMsMax: { default: 90 * DAY_MS, min: 1000, max: 3650 * DAY_MS },
  /** Bytes that one message costs besides its own. */
  messagePriceBytes: { default: KIB, min: 0, max: GIB },
  /** Bytes that it costs to keep a GiB for a second. */
  storagePriceBytes: { default: 100, min: 0, max: GIB },
} as const satisfies Record<string, Limit>;

export type MailboxLimits = Record<keyof typeof MAILBOX_LIMITS, number>;

/** One message. Larger things are files in IPFS that a message names. */
export const MESSAGE_BYTES_MAX = 256 * KIB;
export const MESSAGE_ID_BYTES = 16;
/** What a message takes besides its body: sender, id, times, three indexes. An empty one is not free. */
export const MESSAGE_OVERHEAD_BYTES = 256;
export const TTL_MS_DEFAULT = 7 * DAY_MS;
export const TTL_MS_MIN = 1000;

/** How long a sender can ask what became of a message after it expired. */
export const EXPIRED_KEPT_MS = 7 * DAY_MS;
/** The least time that an acknowledged message is remembered, so that it does not come back when it is sent again. */
export const ACKNOWLEDGED_KEPT_MS = DAY_MS;
/** Of the time that the provider was down, so much counts for expiry: a wall clock that jumped ends no message. */
export const DOWNTIME_MS_MAX = 3_600_000;

/** What a recipient decides about senders. */
export const RULES_MAX = 1024;

/** A device that takes messages and does not acknowledge them keeps others waiting no longer than this. */
export const LEASE_MS = 60_000;
/** Taken and not acknowledged, on one stream. */
export const TAKEN_MAX = 4_096;
/** Messages that are looked at for one page; those that another device has taken are passed over. */
export const SCAN_MAX = 20_000;
export const PAGE_MESSAGES_MAX = 1000;
export const PAGE_BYTES_MAX = MIB;

/** Files that are fetched at the same time, and how long each may take. */
export const HOLDS_MAX = 4;
export const HOLD_TIMEOUT_MS = 300_000;

import type { CID } from 'multiformats/cid';

export const PIN_STATUSES = ['queued', 'pinning', 'pinned', 'failed'] as const;
export type PinStatus = (typeof PIN_STATUSES)[number];

/** What somebody asks to be pinned: the Pin object of the Pinning Service API. */
export interface PinRequest {
  /** As its owner wrote it. */
  cid: string;
  name?: string | undefined;
  /** Multiaddrs of peers that are likely to have it. */
  origins: string[];
  meta: Record<string, string>;
}

/** One pin: a DAG that is kept for its owner. */
export interface Pin extends PinRequest {
  /** The API's `requestid`. */
  id: string;
  /** Peer id. */
  owner: string;
  root: CID;
  createdMs: number;
  status: PinStatus;
  /** What is here: while it is fetched, what this process has seen of it. */
  blocks: number;
  bytes: number;
  /** Attempts that have failed since it was asked for, or last found whole. */
  attempts: number;
  /** When it will be tried again, or is due for the first time; undefined: not at all. */
  nextMs?: number;
  /** Why it is not pinned. */
  error?: { code: string; message: string };
  pinnedMs?: number;
  /** Kept for credit until then; undefined for an owner that pays nothing. */
  paidUntilMs?: number;
  /** All that was charged for it. */
  paidBytes: number;
  /** The last storage receipt. */
  receipt?: Uint8Array;
}

export type NameMatch = 'exact' | 'iexact' | 'partial' | 'ipartial';

/** The filters of the Pinning Service API; all that are given have to hold. */
export interface PinFilter {
  cids?: CID[] | undefined;
  name?: string | undefined;
  match?: NameMatch | undefined;
  statuses?: readonly PinStatus[] | undefined;
  beforeMs?: number | undefined;
  afterMs?: number | undefined;
  meta?: Record<string, string> | undefined;
  limit?: number | undefined;
}

export interface PinPage {
  /** All that the filter lets through. */
  count: number;
  /** The newest of them first, at most `limit`. */
  pins: Pin[];
}

import type { PeerId } from '@libp2p/interface';

import type { CreditPolicy } from './policy.ts';
import type { ReceiptFilter, StoredReceipt } from './receipts.ts';

/** What was exchanged: stored blocks (Bitswap) or computed content (jobs). Both are counted in bytes. */
export type Kind = 'blocks' | 'work';

/**
 * go-bitswap's Receipt, extended by the split of both directions into blocks and work. All amounts are bytes and safe
 * integers. "sent" is what we gave the peer, "recv" what the peer gave us.
 */
export interface LedgerReceipt {
  peer: string;
  /** Debt ratio as go-bitswap computes it: sent / (recv + 1). */
  value: number;
  sent: number;
  recv: number;
  /** Number of exchanges (deliveries in either direction). */
  exchanged: number;
  blocksSent: number;
  blocksRecv: number;
  workSent: number;
  workRecv: number;
}

/** One account as it stands now: the receipt plus everything that credit depends on. */
export interface Account extends LedgerReceipt {
  /** What the peer owes us: sent - recv - forgiven by time refresh + ghost. Negative: we owe the peer. */
  balance: number;
  /** The most the peer may owe us, reservations included. */
  limit: number;
  /** Worst-case price of the work and blocks now under way. */
  reserved: number;
  /** Debt for work that was started and then abandoned by the peer; part of the balance, never part of `sent`. */
  ghost: number;
  /** Debt that the time refresh has forgiven so far. */
  forgiven: number;
}

/** Room that was set aside for one delivery. Ends in exactly one `settle` or `abandon`; a second one throws. */
export interface Reservation {
  readonly peer: PeerId;
  readonly kind: Kind;
  readonly amount: number;
}

/** A document (a job's receipt) that becomes durable in the same transaction as the account it changes. */
export interface LedgerRecord {
  /** CID of the document as a string; the same CID is never counted twice. */
  cid: string;
  bytes: Uint8Array;
}

/**
 * go-bitswap's ScoreLedger, in TypeScript: the extension point `createProvider({ scoreLedger })`. The first seven
 * methods are go-bitswap's; the rest is what credit needs.
 */
export interface ScoreLedger {
  getReceipt(peer: PeerId): LedgerReceipt | undefined;
  addToSentBytes(peer: PeerId, bytes: number, kind?: Kind): void;
  addToReceivedBytes(peer: PeerId, bytes: number, kind?: Kind): void;
  peerConnected(peer: PeerId): void;
  peerDisconnected(peer: PeerId): void;
  /** Starts scoring; `scorePeer` is called when a peer's score (0 to 25) changes. */
  start(scorePeer: (peer: PeerId, score: number) => void): void;
  /** Flushes everything to the store. */
  stop(): void;

  /** @throws OverCreditError with balance, limit, requested and waitMs when the peer has no room for `worstCase` bytes. */
  reserve(peer: PeerId, worstCase: number, kind: Kind): Reservation;
  /**
   * Debits `actual` (at most the reserved amount) as sent to the peer and releases the rest. With a record, both are
   * written in one transaction; the promise resolves when they are durable. Settlements of one tick share one transaction.
   * Until then the price stays reserved. Without a record it is debited at once and written a little later.
   * When the record was settled before, the price becomes ghost debt and the promise rejects with RECEIPT_REPEATED.
   */
  settle(reservation: Reservation, actual: number, record?: LedgerRecord): Promise<void>;
  /** Releases the reservation; `spent` (at most the reserved amount) becomes ghost debt. */
  abandon(reservation: Reservation, spent: number): void;
  /**
   * Credits work that the peer did for us, together with its receipt, in one transaction. Resolves to false when this
   * receipt was already counted.
   */
  receiveWork(peer: PeerId, bytes: number, record: LedgerRecord): Promise<boolean>;

  getAccount(peer: PeerId): Account;
  accounts(): Iterable<Account>;

  /**
   * Calls back once, later, when `reserve(peer, bytes)` would be granted; the peer's earlier request is replaced. The
   * answer takes the request back. Optional: without it, ask again after the `waitMs` of OverCreditError.
   */
  onRoom?(peer: PeerId, bytes: number, callback: () => void): () => void;
  /**
   * Receipts of work in both directions, listed newest first. Optional: without it, account statements list none, and an
   * answer that a crash kept from being settled is given again without settling it.
   */
  readonly receipts?: {
    list(filter: ReceiptFilter): Iterable<StoredReceipt>;
    get(cid: string): StoredReceipt | undefined;
  };
  /** Where the peer stands: under contention, peers in the soft zone wait behind others; in the hard zone nothing fits. */
  zone?(peer: PeerId): CreditZone;
  /** What the operator has decided of peers until now. Optional: without it, what the node was started with holds. */
  readonly policy?: Pick<CreditPolicy, 'allow' | 'overrides'>;
}

export type CreditZone = 'free' | 'soft' | 'hard';

import type { Totals } from './credit.ts';

/** Which total a receipt counts in. */
export type Entry = 'workSent' | 'workRecv' | 'blocksSent';
/** An entry's number in the database is its place here. */
export const ENTRIES: readonly Entry[] = ['workSent', 'workRecv', 'blocksSent'];

/** Receipts in columns and their bytes in one piece, so that a batch crosses to the writer's thread at little cost. */
export interface ReceiptColumns {
  peers: string[];
  /** Row of each receipt's account; 0 when it is not known yet. */
  accounts: number[];
  cids: string[];
  entries: number[];
  prices: number[];
  ledgerMs: number[];
  /** End of each receipt's bytes. */
  ends: number[];
  bytes: Uint8Array<ArrayBuffer>;
  wallMs: number;
}

/** Sums of what changed in one account, beside its receipts, since the last checkpoint. */
export interface AccountDelta extends Totals {
  peer: string;
  /** Row of the account; 0 when it is not known yet. */
  account: number;
  exchanged: number;
  /** Not a sum: the moment itself. */
  refreshedMs: number;
}

export interface LedgerState {
  ledgerMs: number;
  wallMs: number;
  poolUsed: number;
  poolMs: number;
}

export interface Checkpoint {
  accounts: AccountDelta[];
  state: LedgerState;
  wallMs: number;
  keep: Keep;
  /** All of them; undefined when none has changed. */
  scores: PeerScore[] | undefined;
}

export interface PeerScore {
  peer: string;
  score: number;
}

/** What stays; the rest is removed bit by bit, at checkpoints. */
export interface Keep {
  /** Accounts; beyond that, those that no longer differ from a newcomer's go at the next start. */
  accountsMax: number;
  /** Documents of receipts, newest first. */
  receiptsMax: number;
  receiptsMs: number;
  historyMs: number;
}

/** Everything that has to become durable together. With a checkpoint, the receipts so far are folded into the accounts. */
export interface Batch {
  receipts: ReceiptColumns | undefined;
  checkpoint: Checkpoint | undefined;
}

export interface Committed {
  /** Places in the batch of receipts that were counted before. */
  duplicates: number[];
  /** Receipts that the checkpoint pruned. */
  pruned: number;
}

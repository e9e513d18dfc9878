import type { CID } from 'multiformats/cid';

import { STATED_RECEIPTS_MAX, type AccountStatement, type StatedReceipt } from './statement.ts';

/** Receipts of one account that are under way at the same time: so far the two sides' orders can differ. */
const REORDERED_MAX = 128;

/** What is compared, seen from us. */
export type ReconciledTotal = 'blocks we sent' | 'blocks we received' | 'work we did' | 'work done for us';

export type DifferenceCause =
  /** The receiver does not have receipts that the other side lists: lost with a connection, and to be shown again. */
  | 'RECEIPT_NOT_RECEIVED'
  /** Somebody lists receipts as received which the other side does not list as given: a crash before, or a forgery. */
  | 'RECEIPT_NOT_GIVEN'
  /** Both have the same receipt with another price: only possible when one of the ledgers is wrong. */
  | 'PRICE_DIFFERS'
  /** Blocks that were sent but not counted by the receiver: lost with a connection, unwanted, or not verified. */
  | 'BLOCKS_NOT_COUNTED'
  /** The receiver counts more blocks than the sender: the sender forgot them in a crash, or the receiver is wrong. */
  | 'BLOCKS_NOT_BOOKED'
  /** Work that the listed receipts do not explain: receipts older than the lists, or work settled without one. */
  | 'OLDER_RECEIPTS';

export interface Difference {
  total: ReconciledTotal;
  cause: DifferenceCause;
  /** Positive: the giver counts more than the receiver. */
  bytes: number;
  /** The receipts that make the difference. */
  receipts: CID[];
}

export interface Reconciliation {
  agrees: boolean;
  /** Their bytes add up to the difference of the two accounts exactly. */
  differences: Difference[];
  /**
   * Ghost debt that each side counts on its own: work and blocks that it spent on the other, who went away before they
   * were delivered. It makes the balances differ, and is no difference in what was exchanged.
   */
  ghost: { ours: number; theirs: number };
}

/** The statements are not about the same two peers. */
export class MismatchedStatementsError extends TypeError {}

/** Compares what two peers say about their common account, and explains every byte of difference. */
export function reconcile(ours: AccountStatement, theirs: AccountStatement): Reconciliation {
  if (ours.issuer !== theirs.subject || ours.subject !== theirs.issuer) {
    throw new MismatchedStatementsError(
      `Statements of ${ours.issuer} about ${ours.subject} and of ${theirs.issuer} about ${theirs.subject} cannot be compared`,
    );
  }
  const differences = [
    ...blocks('blocks we sent', ours.blocksSent, theirs.blocksRecv),
    ...blocks('blocks we received', theirs.blocksSent, ours.blocksRecv),
    ...work('work we did', ours, theirs),
    ...work('work done for us', theirs, ours),
  ];
  return { agrees: differences.length === 0, differences, ghost: { ours: ours.ghost, theirs: theirs.ghost } };
}

function blocks(total: ReconciledTotal, sent: number, received: number): Difference[] {
  if (sent === received) return [];
  const cause = sent > received ? 'BLOCKS_NOT_COUNTED' : 'BLOCKS_NOT_BOOKED';
  return [{ total, cause, bytes: sent - received, receipts: [] }];
}

function work(total: ReconciledTotal, giver: AccountStatement, receiver: AccountStatement): Difference[] {
  const given = byCid(giver.receipts.filter((receipt) => receipt.given));
  const received = byCid(receiver.receipts.filter((receipt) => !receipt.given));
  const lost = missing(given, received, isCut(receiver, received, receiver.workRecv));
  const invented = missing(received, given, isCut(giver, given, giver.workSent));
  const changed = [...given.values()].filter(({ cid, priceBytes }) => {
    const other = received.get(cid.toString());
    return other !== undefined && other.priceBytes !== priceBytes;
  });
  const asReceived = changed.map(({ cid }) => received.get(cid.toString())!);
  const found: [DifferenceCause, number, StatedReceipt[]][] = [
    ['RECEIPT_NOT_RECEIVED', sum(lost), lost],
    ['RECEIPT_NOT_GIVEN', -sum(invented), invented],
    ['PRICE_DIFFERS', sum(changed) - sum(asReceived), changed],
  ];
  const differences: Difference[] = found
    .filter(([, , receipts]) => receipts.length > 0)
    .map(([cause, bytes, receipts]) => ({ total, cause, bytes, receipts: receipts.map(({ cid }) => cid) }));
  const explained = differences.reduce((sum, { bytes }) => sum + bytes, 0);
  const rest = giver.workSent - receiver.workRecv - explained;
  if (rest !== 0) differences.push({ total, cause: 'OLDER_RECEIPTS', bytes: rest, receipts: [] });
  return differences;
}

/**
 * What the other side does not list. Where its list is cut off, only what is clearly newer than its end counts as
 * missing: newer by more receipts than can have been settled in another order.
 */
function missing(
  own: ReadonlyMap<string, StatedReceipt>,
  other: ReadonlyMap<string, StatedReceipt>,
  otherIsCut: boolean,
): StatedReceipt[] {
  const cids = [...own.keys()];
  const end = otherIsCut ? cids.findLastIndex((cid) => other.has(cid)) - REORDERED_MAX : cids.length;
  return cids
    .slice(0, Math.max(0, end))
    .filter((cid) => !other.has(cid))
    .map((cid) => own.get(cid)!);
}

/** A list that is full, or does not add up to its total because older receipts were pruned. */
function isCut(statement: AccountStatement, listed: ReadonlyMap<string, StatedReceipt>, total: number): boolean {
  return statement.receipts.length === STATED_RECEIPTS_MAX || sum([...listed.values()]) < total;
}

function byCid(receipts: readonly StatedReceipt[]): Map<string, StatedReceipt> {
  return new Map(receipts.map((receipt) => [receipt.cid.toString(), receipt]));
}

function sum(receipts: readonly StatedReceipt[]): number {
  return receipts.reduce((total, { priceBytes }) => total + priceBytes, 0);
}

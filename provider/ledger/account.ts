import type { AccountDelta } from './batch.ts';
import { balanceOf, limitOf, recvOf, sentOf, type Totals } from './credit.ts';
import type { CreditPolicy, Terms } from './policy.ts';
import type { Account, LedgerReceipt } from './types.ts';

/**
 * One account in memory: what is durable, plus what the next checkpoint will write. `reserved` contains settlements that
 * wait for their commit, so nothing has to be taken back when one fails.
 */
export class AccountEntry implements Totals {
  readonly peer: string;
  /** Row in the store; 0 when there is none yet, or none that we have read. */
  row = 0;
  terms: Terms;
  blocksSent = 0;
  blocksRecv = 0;
  workSent = 0;
  workRecv = 0;
  exchanged = 0;
  ghost = 0;
  forgiven = 0;
  /** Ledger time up to which the refresh has been given. */
  refreshedMs: number;
  reserved = 0;
  /** Work receipts of the peer that wait for their commit. */
  incoming = 0;
  /** Reservations and commits that refer to this entry. */
  open = 0;
  /** Changes for the next checkpoint. */
  unwritten: AccountDelta | undefined;
  /** Changes in a checkpoint that is under way. */
  writing: AccountDelta | undefined;
  /** The account has a row, or a change that will make one. */
  known: boolean;
  /** Second chance for the cache's sweep. */
  touched = true;

  constructor(peer: string, terms: Terms, refreshedMs: number, known: boolean) {
    this.peer = peer;
    this.terms = terms;
    this.refreshedMs = refreshedMs;
    this.known = known;
  }

  /** True while memory holds something that the store does not. */
  get pinned(): boolean {
    return this.open > 0 || this.unwritten !== undefined || this.writing !== undefined;
  }
}

export function emptyDelta({ peer, row }: AccountEntry): AccountDelta {
  return {
    peer,
    account: row,
    blocksSent: 0,
    blocksRecv: 0,
    workSent: 0,
    workRecv: 0,
    exchanged: 0,
    ghost: 0,
    forgiven: 0,
    refreshedMs: 0,
  };
}

export function addDelta(into: AccountDelta, delta: AccountDelta): void {
  into.blocksSent += delta.blocksSent;
  into.blocksRecv += delta.blocksRecv;
  into.workSent += delta.workSent;
  into.workRecv += delta.workRecv;
  into.exchanged += delta.exchanged;
  into.ghost += delta.ghost;
  into.forgiven += delta.forgiven;
}

export function toReceipt(entry: AccountEntry): LedgerReceipt {
  const { peer, exchanged, blocksSent, blocksRecv, workSent, workRecv } = entry;
  const sent = sentOf(entry);
  const recv = recvOf(entry);
  return { peer, value: sent / (recv + 1), sent, recv, exchanged, blocksSent, blocksRecv, workSent, workRecv };
}

/** `forgiven`: what time has brought since the entry was last refreshed. */
export function toAccount(entry: AccountEntry, policy: CreditPolicy, forgiven: number): Account {
  return {
    ...toReceipt(entry),
    balance: balanceOf(entry) - forgiven,
    limit: limitOf(policy, entry.terms, recvOf(entry)),
    reserved: entry.reserved,
    ghost: entry.ghost,
    forgiven: entry.forgiven + forgiven,
  };
}

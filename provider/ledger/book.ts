import { emptyDelta, type AccountEntry } from './account.ts';
import { checkTotal } from './amounts.ts';
import type { AccountDelta } from './batch.ts';
import { balanceOf, earnedCredit, gainOf, limitOf, recvOf, sentOf, unearnedDebt, waitMsFor } from './credit.ts';
import { OverCreditError, type OverCreditReason } from './errors.ts';
import type { CreditPolicy, Terms } from './policy.ts';
import type { StrangerPool } from './pool.ts';
import type { CreditZone } from './types.ts';

/** The totals that only grow by what was exchanged. */
export type Exchange = 'blocksSent' | 'blocksRecv' | 'workSent' | 'workRecv';

/**
 * The rules of credit, applied to accounts in memory. Every change of an account goes through here, because each one
 * moves the shared pool as well.
 */
export class Book {
  readonly policy: CreditPolicy;
  readonly #pool: StrangerPool;
  readonly #onChange: (entry: AccountEntry) => void;

  /** `onChange` is told before the first change of an entry since its last checkpoint. */
  constructor(policy: CreditPolicy, pool: StrangerPool, onChange: (entry: AccountEntry) => void) {
    this.policy = policy;
    this.#pool = pool;
    this.#onChange = onChange;
  }

  /** Forgives what time has brought since the last call. */
  refresh(entry: AccountEntry, nowMs: number): void {
    const balance = balanceOf(entry);
    if (balance <= 0) {
      // Time without debt is not saved up.
      if (nowMs > entry.refreshedMs) entry.refreshedMs = nowMs;
      return;
    }
    if (nowMs <= entry.refreshedMs) return;
    const { gain, usedMs } = gainOf(nowMs - entry.refreshedMs, entry.terms.refreshBytesPerSecond, balance);
    const gift = this.#giftIn(entry, balance, gain, nowMs);
    const forgiven = gift.unearned + gift.earned;
    entry.refreshedMs += usedMs;
    if (forgiven === 0) return;
    this.#pool.draw(gift.earned);
    const unwritten = this.#touch(entry);
    const held = this.#heldFor(entry);
    entry.forgiven += forgiven;
    unwritten.forgiven += forgiven;
    this.#pool.hold(this.#heldFor(entry) - held);
  }

  /** What `refresh` would forgive now. */
  forgivable(entry: AccountEntry, nowMs: number): number {
    const balance = balanceOf(entry);
    if (balance <= 0) return 0;
    const { gain } = gainOf(nowMs - entry.refreshedMs, entry.terms.refreshBytesPerSecond, balance);
    const gift = this.#giftIn(entry, balance, gain, nowMs);
    return gift.unearned + gift.earned;
  }

  /** @throws OverCreditError */
  reserve(entry: AccountEntry, bytes: number, nowMs: number): void {
    checkTotal(Math.max(sentOf(entry), entry.ghost) + entry.reserved, bytes, '"sent"');
    this.refresh(entry, nowMs);
    const { terms } = entry;
    if (terms.blocked) throw this.#refusal(entry, bytes, 'blocked', null);
    const room = this.#roomOf(entry);
    if (bytes > room) throw this.#refusal(entry, bytes, 'limit', this.#waitMs(entry, bytes, bytes - room));
    if (terms.stranger) {
      const draw = this.#drawFor(entry, bytes);
      if (draw > 0 && draw > this.#pool.room(nowMs)) {
        throw this.#refusal(entry, bytes, 'pool', this.#pool.waitMs(draw, nowMs));
      }
    }
    this.release(entry, -bytes);
    entry.open += 1;
  }

  /** Gives back reserved bytes. */
  release(entry: AccountEntry, bytes: number): void {
    const held = this.#heldFor(entry);
    entry.reserved -= bytes;
    this.#pool.hold(this.#heldFor(entry) - held);
  }

  /** Books an exchange. `durable`: the receipt's row already stands for it, so the next checkpoint must not add it again. */
  exchange(entry: AccountEntry, total: Exchange, bytes: number, nowMs: number, durable: boolean): void {
    const given = total === 'blocksSent' || total === 'workSent';
    checkTotal(given ? sentOf(entry) + entry.reserved : recvOf(entry) + entry.incoming, bytes, `"${total}"`);
    this.refresh(entry, nowMs);
    const unwritten = this.#touch(entry);
    this.#change(entry, () => {
      entry[total] += bytes;
      entry.exchanged += 1;
    });
    if (durable) return;
    unwritten[total] += bytes;
    unwritten.exchanged += 1;
  }

  /** Debt for work that was started and abandoned. */
  haunt(entry: AccountEntry, bytes: number, nowMs: number): void {
    if (bytes === 0) return;
    checkTotal(entry.ghost, bytes, 'Ghost debt');
    this.refresh(entry, nowMs);
    const unwritten = this.#touch(entry);
    this.#change(entry, () => {
      entry.ghost += bytes;
    });
    unwritten.ghost += bytes;
  }

  /** Other rules hold from now on: what a stranger drew from the pool goes back when it is one no more, and the other way round. */
  changeTerms(entry: AccountEntry, terms: Terms, nowMs: number): void {
    this.refresh(entry, nowMs);
    const drawn = this.#drawnBy(entry);
    const held = this.#heldFor(entry);
    entry.terms = terms;
    this.#pool.draw(this.#drawnBy(entry) - drawn);
    this.#pool.hold(this.#heldFor(entry) - held);
  }

  /** Time until `reserve` would be granted: 0 now, null when time alone does not bring it. */
  waitMs(entry: AccountEntry, bytes: number, nowMs: number): number | null {
    this.refresh(entry, nowMs);
    const { terms } = entry;
    if (terms.blocked) return null;
    const missing = bytes - this.#roomOf(entry);
    const own = missing <= 0 ? 0 : this.#waitMs(entry, bytes, missing);
    if (own === null || !terms.stranger) return own;
    const pool = this.#pool.waitMs(this.#drawFor(entry, bytes), nowMs);
    return pool === null ? null : Math.max(own, pool);
  }

  zone(entry: AccountEntry, nowMs: number): CreditZone {
    this.refresh(entry, nowMs);
    const room = this.#roomOf(entry);
    if (entry.terms.blocked || room <= 0) return 'hard';
    const limit = limitOf(this.policy, entry.terms, recvOf(entry));
    return (limit - room) * 100 >= limit * this.policy.softZonePercent ? 'soft' : 'free';
  }

  #roomOf(entry: AccountEntry): number {
    return limitOf(this.policy, entry.terms, recvOf(entry)) - balanceOf(entry) - entry.reserved;
  }

  /** What a reservation would draw from the pool. */
  #drawFor(entry: AccountEntry, bytes: number): number {
    return unearnedDebt(this.policy, entry, entry.reserved + bytes) - unearnedDebt(this.policy, entry, entry.reserved);
  }

  #touch(entry: AccountEntry): AccountDelta {
    if (entry.unwritten === undefined) {
      entry.unwritten = emptyDelta(entry);
      entry.known = true;
      this.#onChange(entry);
    }
    return entry.unwritten;
  }

  /** Moves the shared pool by the difference that `apply` makes. */
  #change(entry: AccountEntry, apply: (entry: AccountEntry) => void): void {
    const held = this.#heldFor(entry);
    const drawn = this.#drawnBy(entry);
    apply(entry);
    if (!entry.terms.stranger) return;
    this.#pool.draw(this.#drawnBy(entry) - drawn);
    this.#pool.hold(this.#heldFor(entry) - held);
  }

  #drawnBy(entry: AccountEntry): number {
    return entry.terms.stranger ? unearnedDebt(this.policy, entry, 0) : 0;
  }

  /** The part of the reservations that would be drawn from the pool. */
  #heldFor(entry: AccountEntry): number {
    if (!entry.terms.stranger || entry.reserved === 0) return 0;
    return unearnedDebt(this.policy, entry, entry.reserved) - unearnedDebt(this.policy, entry, 0);
  }

  /**
   * Splits what time brings: debt above the earned part was drawn from the pool when it was made; forgiving debt within
   * the earned part is a new gift, so the pool has to have room for it.
   */
  #giftIn(entry: AccountEntry, balance: number, gain: number, nowMs: number): { unearned: number; earned: number } {
    if (!entry.terms.stranger) return { unearned: gain, earned: 0 };
    const unearned = Math.min(gain, Math.max(0, balance - earnedCredit(this.policy, recvOf(entry))));
    const earned = gain === unearned ? 0 : Math.min(gain - unearned, Math.max(0, this.#pool.room(nowMs)));
    return { unearned, earned };
  }

  #waitMs(entry: AccountEntry, bytes: number, missing: number): number | null {
    const limit = limitOf(this.policy, entry.terms, recvOf(entry));
    const rate = entry.terms.refreshBytesPerSecond;
    // Time brings a debtor back to zero and no further.
    if (rate === 0 || bytes > limit - Math.min(0, balanceOf(entry))) return null;
    return waitMsFor(missing, rate);
  }

  #refusal(entry: AccountEntry, requestedBytes: number, reason: OverCreditReason, waitMs: number | null) {
    return new OverCreditError({
      peer: entry.peer,
      reason,
      balance: balanceOf(entry),
      limit: limitOf(this.policy, entry.terms, recvOf(entry)),
      reserved: entry.reserved,
      requestedBytes,
      waitMs,
    });
  }
}

import { gainOf, waitMsFor } from './credit.ts';
import type { CreditPolicy } from './policy.ts';

/**
 * The credit that all strangers share. Peer ids are free, so limits on each of them bound nothing; this does:
 *
 * - what a stranger owes above what it has earned is drawn from the pool, and flows back when it pays;
 * - debt that time forgives does not flow back, and forgiving debt within the earned part draws on the pool as well;
 * - the pool itself recovers at a fixed rate, however many strangers there are.
 *
 * So in any time t, all strangers together get at most `bytesMax + refresh * t + growth * (what they paid)` for nothing.
 */
export class StrangerPool {
  readonly #bytesMax: number;
  readonly #refreshBytesPerSecond: number;
  #used: number;
  #held = 0;
  #refreshedMs: number;

  constructor(policy: CreditPolicy, stored: { used: number; refreshedMs: number }) {
    this.#bytesMax = policy.strangerPoolBytes;
    this.#refreshBytesPerSecond = policy.strangerPoolRefreshBytesPerSecond;
    this.#used = stored.used;
    this.#refreshedMs = stored.refreshedMs;
  }

  get used(): number {
    return this.#used;
  }

  get refreshedMs(): number {
    return this.#refreshedMs;
  }

  room(nowMs: number): number {
    const { gain, usedMs } = gainOf(nowMs - this.#refreshedMs, this.#refreshBytesPerSecond, this.#used);
    this.#used -= gain;
    if (this.#used === 0) this.#refreshedMs = Math.max(nowMs, this.#refreshedMs);
    else this.#refreshedMs += usedMs;
    return this.#bytesMax - this.#used - this.#held;
  }

  /** Negative when debt was paid. What was forgiven meanwhile does not come back a second time. */
  draw(bytes: number): void {
    this.#used = Math.max(0, this.#used + bytes);
  }

  /** Reservations only live in memory; negative when one ends. */
  hold(bytes: number): void {
    this.#held += bytes;
  }

  /** Time until there is room for `bytes`; null when there never is. */
  waitMs(bytes: number, nowMs: number): number | null {
    const missing = bytes - this.room(nowMs);
    if (missing <= 0) return 0;
    if (bytes > this.#bytesMax || this.#refreshBytesPerSecond === 0) return null;
    return waitMsFor(missing, this.#refreshBytesPerSecond);
  }
}

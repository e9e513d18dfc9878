/** Where the ledger's time comes from. Tests and the replay of a crash bring their own. */
export interface LedgerClock {
  /** Milliseconds since 1970, as the operating system believes. May jump. */
  wallMs(): number;
  /** Milliseconds since any fixed moment of this process. Never jumps. */
  monotonicMs(): number;
}

export const systemClock: LedgerClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/**
 * Ledger time: milliseconds that only ever grow, persisted, and used for every refresh of credit. Within a process it
 * follows the monotonic clock, so a wall clock that jumps gives nothing. Over a restart the wall clock is all there is:
 * backward counts as no time, forward as at most `downtimeMsMax`.
 */
export class LedgerTime {
  readonly #clock: LedgerClock;
  readonly #startMs: number;
  readonly #monotonicStartMs: number;

  constructor(clock: LedgerClock, stored: { ledgerMs: number; wallMs: number } | undefined, downtimeMsMax: number) {
    this.#clock = clock;
    const downtimeMs = stored === undefined ? 0 : Math.min(Math.max(0, this.wallMs() - stored.wallMs), downtimeMsMax);
    this.#startMs = (stored?.ledgerMs ?? 0) + downtimeMs;
    this.#monotonicStartMs = clock.monotonicMs();
  }

  nowMs(): number {
    return this.#startMs + Math.max(0, Math.floor(this.#clock.monotonicMs() - this.#monotonicStartMs));
  }

  /** For people: receipts and history. Never for credit. */
  wallMs(): number {
    return Math.max(0, Math.floor(this.#clock.wallMs()));
  }
}

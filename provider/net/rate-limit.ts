export interface Rate {
  perSecond: number;
  burst: number;
}

/** So many at once, and then so many per second. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledMs = nowMs;
  }

  /** Milliseconds until there is a token; 0 when there is one. */
  waitMs(nowMs: number): number {
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, nowMs - this.#filledMs) * perSecond) / 1_000);
    this.#filledMs = Math.max(nowMs, this.#filledMs);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1_000) / perSecond);
  }

  take(): void {
    this.#tokens -= 1;
  }
}

/** A bucket for each of the peers that asked last. Who is forgotten starts anew, which is why totals exist as well. */
export class PeerBuckets {
  readonly #rate: Rate;
  readonly #peersMax: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate, peersMax: number) {
    this.#rate = rate;
    this.#peersMax = peersMax;
  }

  of(peer: string, nowMs: number): TokenBucket {
    const bucket = this.#buckets.get(peer) ?? new TokenBucket(this.#rate, nowMs);
    // Last in the order of the map: whoever asked longest ago is forgotten first.
    this.#buckets.delete(peer);
    this.#buckets.set(peer, bucket);
    if (this.#buckets.size > this.#peersMax) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}

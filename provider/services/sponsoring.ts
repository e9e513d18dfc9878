import type { SponsoringLimits } from './limits.ts';

const WINDOW_MS = 3_600_000;

/**
 * What maintainers pay for visitors: so much for each visitor of a service in an hour, so that one visitor cannot draw
 * all of a maintainer's credit. Beyond it the visitor's own account pays.
 */
export class Sponsoring {
  readonly #limits: SponsoringLimits;
  readonly #nowMs: () => number;
  readonly #spent = new Map<string, { bytes: number; sinceMs: number }>();

  constructor(limits: SponsoringLimits, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** True when a job of at most `priceMaxBytes` still fits. */
  covers(service: string, visitor: string, priceMaxBytes: number): boolean {
    const spent = this.#of(`${service} ${visitor}`)?.bytes ?? 0;
    return spent + priceMaxBytes <= this.#limits.sponsoredBytesPerVisitorMax;
  }

  add(service: string, visitor: string, bytes: number): void {
    const key = `${service} ${visitor}`;
    const known = this.#of(key) ?? { bytes: 0, sinceMs: this.#nowMs() };
    this.#spent.delete(key);
    this.#spent.set(key, { ...known, bytes: known.bytes + bytes });
    if (this.#spent.size > this.#limits.sponsoredVisitorsMax) this.#spent.delete(this.#spent.keys().next().value!);
  }

  #of(key: string): { bytes: number; sinceMs: number } | undefined {
    const known = this.#spent.get(key);
    return known === undefined || this.#nowMs() - known.sinceMs >= WINDOW_MS ? undefined : known;
  }
}

import type { Endpoint } from '../../../sdk/protocol/index.ts';

const WEIGHT = 0.2;
/** After a failure an endpoint comes last for this long. */
const AVOID_MS = 30_000;
const ENDPOINTS_KEPT_MAX = 1_000;

interface Measured {
  latencyMs: number;
  failedMs: number;
}

/** How endpoints did when we used them: those that answer come before those that failed, the quick before the slow. */
export class EndpointRanking {
  readonly #measured = new Map<string, Measured>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Best first. One that was never used counts as quick, so that it gets its chance. */
  rank(endpoints: readonly Endpoint[]): Endpoint[] {
    return endpoints.toSorted((a, b) => this.#cost(a.peer) - this.#cost(b.peer));
  }

  answered(peer: string, latencyMs: number): void {
    const before = this.#measured.get(peer);
    const known = before === undefined || before.latencyMs === 0 ? latencyMs : before.latencyMs;
    this.#keep(peer, { latencyMs: known + WEIGHT * (latencyMs - known), failedMs: -Infinity });
  }

  failed(peer: string): void {
    this.#keep(peer, { latencyMs: this.#measured.get(peer)?.latencyMs ?? 0, failedMs: this.#nowMs() });
  }

  #cost(peer: string): number {
    const { latencyMs, failedMs } = this.#measured.get(peer) ?? { latencyMs: 0, failedMs: -Infinity };
    const sinceMs = this.#nowMs() - failedMs;
    return sinceMs < AVOID_MS ? Number.MAX_SAFE_INTEGER - sinceMs : latencyMs;
  }

  #keep(peer: string, measured: Measured): void {
    this.#measured.delete(peer);
    this.#measured.set(peer, measured);
    if (this.#measured.size > ENDPOINTS_KEPT_MAX) this.#measured.delete(this.#measured.keys().next().value!);
  }
}

/** Addresses of an endpoint that lead to it and to nobody else. */
export function addressesOf({ peer, addrs }: Endpoint): string[] {
  const own = `/p2p/${peer}`;
  return addrs
    .filter((addr) => addr.endsWith(own) || !addr.includes('/p2p/'))
    .map((addr) => (addr.endsWith(own) ? addr : addr + own));
}

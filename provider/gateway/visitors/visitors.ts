import { TokenBucket } from '../../net/index.ts';
import { HttpError } from '../http/index.ts';
import { VISITORS_MAX, type GatewayLimits } from '../limits.ts';
import { WorkLine } from './work-line.ts';

interface Visitor {
  line: WorkLine;
  bucket: TokenBucket;
  underWay: number;
}

/** What a job is expected to cost before anything is known of its service. */
const FIRST_HOLD_BYTES = 16 * 1024;
const SERVICES_REMEMBERED_MAX = 1024;

/** A visitor's job: what it may cost is held until `settle` says what it was. Only the first time counts. */
export interface Admitted {
  readonly heldBytes: number;
  settle(workBytes: number): void;
}

/**
 * Visitors have no account: a browser brings no key. So each address has a line of work and a rate of requests, and all of
 * them share a pool, which bounds what they can cost the gateway together, however many addresses somebody has.
 */
export class Visitors {
  readonly #limits: GatewayLimits;
  readonly #visitors = new Map<string, Visitor>();
  readonly #pool: WorkLine;
  /** What the last job of a service cost: the best guess for its next. */
  readonly #holds = new Map<string, number>();

  constructor(limits: GatewayLimits, nowMs = performance.now()) {
    this.#limits = limits;
    this.#pool = new WorkLine(limits.visitorPoolBytes, limits.visitorPoolRefreshBytesPerSecond, nowMs);
  }

  /** Counts a request; the answer ends it. @throws HttpError 429 with Retry-After */
  enter(client: string, nowMs: number): () => void {
    const visitor = this.#of(client, nowMs);
    const waitMs = visitor.bucket.waitMs(nowMs);
    if (waitMs > 0) throw tooMany(`more than ${this.#limits.requestsPerSecond} requests a second`, waitMs);
    if (visitor.underWay >= this.#limits.requestsPerClientMax) {
      throw tooMany(`${this.#limits.requestsPerClientMax} requests under way at once`, 1000);
    }
    visitor.bucket.take();
    visitor.underWay += 1;
    return () => {
      visitor.underWay -= 1;
    };
  }

  /** Admits a job of a service. @throws HttpError 402 with the figures */
  admit(client: string, service: string, nowMs: number): Admitted {
    const { line } = this.#of(client, nowMs);
    const holdBytes = this.#holds.get(service) ?? FIRST_HOLD_BYTES;
    for (const [who, one] of [
      ['visitor', line],
      ['all visitors', this.#pool],
    ] as const) {
      if (!one.fits(holdBytes, nowMs)) throw overCredit(who, one, holdBytes, nowMs);
    }
    line.hold(holdBytes);
    this.#pool.hold(holdBytes);
    let isSettled = false;
    return {
      heldBytes: holdBytes,
      settle: (workBytes) => {
        if (isSettled) return;
        isSettled = true;
        line.settle(holdBytes, workBytes);
        this.#pool.settle(holdBytes, workBytes);
        if (workBytes > 0) this.#remember(service, workBytes);
      },
    };
  }

  stats(nowMs: number): { visitors: number; visitorsOwedBytes: number } {
    return { visitors: this.#visitors.size, visitorsOwedBytes: this.#pool.owed(nowMs) };
  }

  #remember(service: string, workBytes: number): void {
    if (!this.#holds.has(service) && this.#holds.size >= SERVICES_REMEMBERED_MAX) {
      this.#holds.delete(this.#holds.keys().next().value!);
    }
    this.#holds.set(service, workBytes);
  }

  #of(client: string, nowMs: number): Visitor {
    let visitor = this.#visitors.get(client);
    if (visitor !== undefined) return visitor;
    const { visitorLineBytes, visitorRefreshBytesPerSecond, requestsPerSecond, requestsBurst } = this.#limits;
    visitor = {
      line: new WorkLine(visitorLineBytes, visitorRefreshBytesPerSecond, nowMs),
      bucket: new TokenBucket({ perSecond: requestsPerSecond, burst: requestsBurst }, nowMs),
      underWay: 0,
    };
    // Whoever is forgotten starts anew, which is why the pool exists.
    if (this.#visitors.size >= VISITORS_MAX) this.#visitors.delete(this.#visitors.keys().next().value!);
    this.#visitors.set(client, visitor);
    return visitor;
  }
}

function tooMany(what: string, waitMs: number): HttpError {
  return new HttpError(429, 'TOO_MANY_REQUESTS', `You have sent ${what}. Try again a little later.`, {
    retryable: true,
    headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
    details: { waitMs },
  });
}

function overCredit(who: string, line: WorkLine, requestedBytes: number, nowMs: number): HttpError {
  const waitMs = line.waitMs(requestedBytes, nowMs);
  const figures = { balance: line.owed(nowMs), limit: line.limitBytes, requestedBytes };
  const wait = waitMs === undefined ? '' : ` It fits in after ${Math.ceil(waitMs / 1000)} s.`;
  return new HttpError(
    402,
    'OVER_CREDIT',
    `The work that this gateway does for ${who === 'visitor' ? 'one visitor' : who} is used up: ${figures.balance} of ${figures.limit} bytes.${wait}`,
    {
      retryable: true,
      headers: waitMs === undefined ? {} : { 'retry-after': String(Math.ceil(waitMs / 1000)) },
      details: waitMs === undefined ? figures : { ...figures, waitMs },
    },
  );
}

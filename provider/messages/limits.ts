import { defaultsOf, type Limit } from '../sandbox/limits.ts';

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const GIB = 1024 * MIB;

/** The numbers of the table `[messages]` of the config. docs/messages.md has what happens beyond each. */
export const DELIVERY_LIMITS = {
  /** Messages under way at once, of all services; each service's to one recipient go one after the other. */
  underWayMax: { default: 16, min: 1, max: 1024 },
  /** Messages of one lane in a row, while others wait. */
  turnMax: { default: 32, min: 1, max: 10_000 },
  /** One attempt: finding the recipient, connecting, its answer. */
  attemptMs: { default: MINUTE_MS, min: 100, max: DAY_MS },
  /** From a failed attempt to the next: doubled each time, at random between half of it and all. */
  retryMsMin: { default: 1_000, min: 1, max: DAY_MS },
  retryMsMax: { default: 10 * MINUTE_MS, min: 1, max: DAY_MS },
  /** The most that we pay for one message at a service, or to all mailboxes of a peer: their tariffs are theirs to choose. */
  priceBytesMax: { default: MIB / 2, min: 0, max: 1024 * GIB },
  /** What one service's messages may cost us in an hour; beyond it they wait. */
  servicePriceBytesMax: { default: 64 * MIB, min: 0, max: 1024 * GIB },
} as const satisfies Record<string, Limit>;

export type DeliveryLimits = { readonly [name in keyof typeof DELIVERY_LIMITS]: number };

export function deliveryLimits(): DeliveryLimits {
  return defaultsOf(DELIVERY_LIMITS);
}

/** Of so many services it is remembered what their messages cost in the last hour. */
export const SPENDING_SERVICES_MAX = 10_000;

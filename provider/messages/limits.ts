const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;

export const DELIVERY_LIMITS = {
  /** Messages under way at once, of all services; each service's to one recipient go one after the other. */
  underWayMax: 16,
  /** Messages of one lane in a row, while others wait. */
  turnMax: 32,
  /** One attempt: finding the recipient, connecting, its answer. */
  attemptMs: MINUTE_MS,
  /** From a failed attempt to the next: doubled each time, at random between half of it and all. */
  retryMsMin: 1_000,
  retryMsMax: 10 * MINUTE_MS,
  /** The most that we pay for one message at a service, or to a mailbox. */
  priceMaxBytes: 4 * MIB,
  /** What one service's messages may cost us in an hour; beyond it they wait. */
  servicePriceMaxBytes: 256 * MIB,
  /** Of so many services it is remembered what they spent. */
  servicesMax: 10_000,
} as const;

export type DeliveryLimits = { readonly [name in keyof typeof DELIVERY_LIMITS]: number };

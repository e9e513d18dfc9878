import type { ExchangeProtocol } from '../../net/index.ts';

export const SERVICES_EXCHANGE: ExchangeProtocol = {
  name: '/workswap/services/1.0.0',
  /** Record, descriptor and an order, or what an answer adds to them. */
  messageBytesMax: 96 * 1024,
  streamsPerConnectionMax: 32,
  streamsMax: 128,
  /** Hosting has a deadline of its own in between. */
  timeoutMs: 10_000,
};

/** An answer about a name is cheap; hosting and rollback are rare. */
export const RATES = {
  ask: { perSecond: 50, burst: 200 },
  change: { perSecond: 0.2, burst: 10 },
} as const;
export const RATED_PEERS_MAX = 4_096;

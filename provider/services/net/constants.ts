export const SERVICES_PROTOCOL = '/workswap/services/1.0.0';

/** Record, descriptor and an order, or what an answer adds to them. */
export const MESSAGE_BYTES_MAX = 96 * 1024;
export const STREAMS_PER_CONNECTION_MAX = 32;
export const STREAMS_MAX = 128;
/** Reading a question and sending an answer; hosting has a deadline of its own in between. */
export const EXCHANGE_TIMEOUT_MS = 10_000;

/** An answer about a name is cheap; hosting and rollback are rare. */
export const RATES = {
  ask: { perSecond: 50, burst: 200 },
  change: { perSecond: 0.2, burst: 10 },
} as const;
export const RATED_PEERS_MAX = 4_096;

export const ERROR_CODE_LENGTH_MAX = 64;
export const ERROR_MESSAGE_LENGTH_MAX = 512;

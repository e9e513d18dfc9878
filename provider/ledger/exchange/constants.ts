export const LEDGER_PROTOCOL = '/workswap/ledger/1.0.0';

/** One signed document, and what an answer wraps around it. */
export const QUESTION_BYTES_MAX = 64 * 1024;
export const ANSWER_BYTES_MAX = QUESTION_BYTES_MAX + 64;

/** The whole exchange, from opening the stream to the answer. A total, so that nobody can drip bytes for ever. */
export const EXCHANGE_TIMEOUT_MS = 10_000;
export const STREAMS_PER_CONNECTION_MAX = 2;
export const STREAMS_MAX = 64;

/** An answer costs two signatures and 512 rows, so nobody gets many of them. */
export const RATES = {
  /** For each peer. */
  peer: { perSecond: 1, burst: 8 },
  /** For all peers whom we have an account with. */
  known: { perSecond: 32, burst: 64 },
  /** For everybody else together: peer ids are free. */
  strangers: { perSecond: 4, burst: 16 },
} as const;
/** Peers whose rate is remembered. */
export const RATED_PEERS_MAX = 4_096;

export const ERROR_CODE_LENGTH_MAX = 64;
export const ERROR_MESSAGE_LENGTH_MAX = 512;

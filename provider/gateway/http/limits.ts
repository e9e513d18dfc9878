/** What one HTTP server holds and waits for at most. */
export interface ServerLimits {
  /** Bytes of a request's head; beyond: 431. */
  headerBytesMax: number;
  /** Time for the head of a request, then for all of it; beyond: 408. */
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  /** A connection on which nothing moves for so long, in either direction, is closed. */
  idleTimeoutMs: number;
  connectionsMax: number;
  connectionsPerClientMax: number;
  /** Requests under way; beyond: 503. */
  requestsMax: number;
  /** Time for the whole answer, the client's reading included. */
  deadlineMs: number;
}

/** Headers of one request; beyond: 431. */
export const HEADERS_PER_REQUEST_MAX = 100;
export const REQUESTS_PER_CONNECTION_MAX = 100_000;
/** How often deadlines are looked at. */
export const DEADLINE_CHECK_MS = 1000;
/** What a stopping server leaves to answers under way. */
export const STOP_GRACE_MS = 5000;
/** Bodies up to this are copied behind their head. */
export const ONE_WRITE_BYTES_MAX = 16 * 1024;

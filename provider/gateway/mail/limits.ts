/** An attachment may take as long. */
const ANSWER_TIMEOUT_MS = 300_000;

export const MAIL_SERVER_LIMITS = {
  headerBytesMax: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 120_000,
  idleTimeoutMs: ANSWER_TIMEOUT_MS,
  connectionsMax: 64,
  connectionsPerClientMax: 32,
  requestsMax: 32,
  deadlineMs: ANSWER_TIMEOUT_MS,
} as const;

const MIB = 1024 * 1024;

export const PAGE_LETTERS = 50;
/** A letter with its attachments, as base64. */
export const BODY_BYTES_MAX = 48 * MIB;
export const SYNC_TIMEOUT_MS = 60_000;
export const ATTACHMENT_TIMEOUT_MS = 300_000;

export const MAIL_SERVER_LIMITS = {
  headerBytesMax: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 120_000,
  idleTimeoutMs: ATTACHMENT_TIMEOUT_MS,
  connectionsMax: 64,
  connectionsPerClientMax: 32,
  requestsMax: 32,
  deadlineMs: ATTACHMENT_TIMEOUT_MS,
} as const;

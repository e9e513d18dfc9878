/** Everything that the admin server holds or sends is bounded by these. */
export const ADMIN_LIMITS = {
  /** Browsers that watch at the same time. */
  watchersMax: 16,
  /** Accounts that are looked at for the table; it shows the most recent and the largest of them. */
  accountsReadMax: 10_000,
  accountsShownMax: 100,
  mailboxesShownMax: 50,
  handlersShownMax: 50,
  recentShownMax: 30,
  liveShownMax: 100,
  servicesShownMax: 50,
  /** Commits of each. */
  historyShownMax: 8,
  /** Messages of each that are not delivered. */
  messagesShownMax: 8,
  historyTimeoutMs: 1000,
  /** One sample every two seconds for an hour. */
  samplesMax: 1800,
  samplePeriodMs: 2000,
  /** Reading accounts and mailboxes may take one part in so many of the time. */
  readingShare: 50,
  bodyBytesMax: 16 * 1024,
  /** Events that wait for a page that does not read. */
  eventsWaitingMax: 64,
  pinTimeoutMs: 600_000,
} as const;

/** Of the HTTP server. An answer may take as long as a pin does, and events have no end. */
export const ADMIN_SERVER_LIMITS = {
  headerBytesMax: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: ADMIN_LIMITS.pinTimeoutMs,
  connectionsMax: 256,
  connectionsPerClientMax: 256,
  requestsMax: 128,
  deadlineMs: Infinity,
} as const;

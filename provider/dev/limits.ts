export const DEV_LIMITS = {
  /** Requests that the page of requests remembers. */
  recordsMax: 200,
  /** Browsers that wait for a reload. */
  listenersMax: 64,
  /** A burst of saves is one reload. */
  settleMs: 60,
  /** Bytes of a state file that the state page shows. */
  shownBytesMax: 64 * 1024,
  /** Bytes of a sent message that the page of requests shows. */
  messageShownBytesMax: 1024,
} as const;

/** Where dev's own pages are: no handler sees these paths. */
export const DEV_PREFIX = '/.workswap';

/** Error numbers of WASI preview 1 that calls answer here. */
export const ERRNO = { SUCCESS: 0, BADF: 8, INVAL: 28, NOSYS: 52, SPIPE: 70 } as const;

/** Part of the host ABI, as `ABI_LIMITS` is: every provider has the same. */
export const WASI_LIMITS = {
  /** Bytes of all environment variables, their zero bytes included. */
  environmentBytesMax: 256 * 1024,
  /** Buffers of one read or write. */
  buffersMax: 1024,
  /** Subscriptions of one `poll_oneoff`. */
  subscriptionsMax: 64,
  /** Bytes of the last lines of stderr that the message of a failed job holds. */
  errorTailBytesMax: 2048,
} as const;

/**
 * Fuel, like the prices of the ABI's own calls: a call, a byte that it moves, a byte of randomness, a buffer or
 * subscription that it looks at, and the request, which is decoded when it is first needed.
 */
export const WASI_PRICES = {
  call: 3000,
  byte: 4,
  stderrByte: 8,
  randomByte: 400,
  element: 200,
  request: 20_000,
  requestByte: 8,
} as const;

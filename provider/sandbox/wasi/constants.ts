/** Error numbers of WASI preview 1 that calls answer here. */
export const ERRNO = {
  SUCCESS: 0,
  BADF: 8,
  BUSY: 10,
  EXIST: 20,
  FBIG: 22,
  ILSEQ: 25,
  INVAL: 28,
  ISDIR: 31,
  MFILE: 33,
  NAMETOOLONG: 37,
  NOENT: 44,
  NOSYS: 52,
  NOTDIR: 54,
  NOTEMPTY: 55,
  ROFS: 69,
  SPIPE: 70,
  NOTCAPABLE: 76,
} as const;

export const FILE_TYPE = { CHARACTER_DEVICE: 2, DIRECTORY: 3, REGULAR_FILE: 4 } as const;

export const RIGHTS = { READ: 1n << 1n, WRITE: 1n << 6n, ALL: (1n << 30n) - 1n } as const;

/** Flags of `path_open`, and of an open file. */
export const OPEN = { CREATE: 1, DIRECTORY: 2, EXCLUSIVE: 4, TRUNCATE: 8 } as const;
export const FLAG_APPEND = 1;

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
  /** Open files and directories, the streams and the root directory included. */
  descriptorsMax: 64,
  /** Bytes that the host holds for open files that are changed, or removed. */
  openBytesMax: 32 * 1024 * 1024,
  /** Bytes of a file that are read at a time; programs read in small pieces. */
  readAheadBytes: 64 * 1024,
} as const;

/**
 * Fuel, like the prices of the ABI's own calls: a call, a byte that it moves, a byte of randomness, a buffer or
 * subscription that it looks at, and the request, which is decoded when it is first needed. What a call does with the
 * state costs what the ABI's own call for it costs, beside that.
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

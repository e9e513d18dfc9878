import { RESPONSE_HEADERS_MAX, RESPONSE_HEAD_BYTES_MAX } from '../../../sdk/protocol/response-head.ts';

/** Limits that are part of the host ABI: every provider has the same, or outcomes would differ. */
export const ABI_LIMITS = {
  /** Bytes of a `fail` message that are kept. */
  failBytesMax: 4096,
  /** Bytes of one binary CID. */
  cidBytesMax: 128,
  /** Bytes that one `block_read` may ask for. */
  readBytesMax: 16 * 1024 * 1024,
  /** Bytes of a message whose signature is verified: that is one step for the host, and nothing can stop it half-way. */
  verifyBytesMax: 8 * 1024 * 1024,
  /** Bytes of a path in the state, its segments, and bytes of one segment. */
  pathBytesMax: 1024,
  pathSegmentsMax: 32,
  nameBytesMax: 255,
  /** Bytes of one file of the state. */
  fileBytesMax: 16 * 1024 * 1024,
  /** Bytes of files that one job may write, whether or not it writes over them again. */
  writtenBytesMax: 16 * 1024 * 1024,
  /** Calls of one job that change the state. */
  changesMax: 4096,
  /** The smallest buffer of `state_list`: any entry fits. */
  listBytesMin: 512,
  /** Bytes of the response head. */
  headBytesMax: RESPONSE_HEAD_BYTES_MAX,
  headersMax: RESPONSE_HEADERS_MAX,
} as const;

/** What is kept of a job's log. Logs are in no receipt, so these may differ between providers. */
export const LOG_LIMITS = {
  bytesMax: 16 * 1024,
  /** Counted for every line, so that empty lines end too. */
  bytesPerLine: 32,
} as const;

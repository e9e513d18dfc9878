export const WORKSWAP_PROTOCOL = '/workswap/1.0.0';

/** Length of a task's seed in bytes. */
export const SEED_BYTES = 32;

/**
 * Limits of the wire. A frame holds at most one body chunk, so the frame limit follows from the body limit of a request,
 * which travels in one frame.
 */
export const REQUEST_BODY_BYTES_MAX = 1024 * 1024;
export const BODY_CHUNK_BYTES_MAX = 256 * 1024;
export const FRAME_BYTES_MAX = REQUEST_BODY_BYTES_MAX + 128 * 1024;
export const HEADERS_MAX = 64;
export const HEADER_BYTES_MAX = 32 * 1024;
export const METHOD_BYTES_MAX = 32;
export const PATH_BYTES_MAX = 4 * 1024;
export const QUERY_BYTES_MAX = 16 * 1024;
export const CID_BYTES_MAX = 128;
export const WANTS_MAX = 64;
export const ERROR_MESSAGE_BYTES_MAX = 4 * 1024;

/** Requests that one consumer may have under way on one stream. */
export const REQUESTS_UNDER_WAY_MAX = 1024;

/** Output one job may produce at most, head and body; a task may ask for less. */
export const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

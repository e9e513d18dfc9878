/** Blocks that one request may look at for its path and for what it lists. CARs and files have limits of their own. */
export const BLOCKS_PER_REQUEST_MAX = 4096;
export const PATH_SEGMENTS_MAX = 256;
/** Nested nodes of one sharded directory, and of one file. */
export const DEPTH_MAX = 32;
/** Rows of a directory listing; who wants more asks for the CAR. */
export const LISTING_ENTRIES_MAX = 10_000;
/** Bytes of the blocks of a request's path and listing, which are held until it ends. */
export const PATH_BYTES_MAX = 64 * 1024 * 1024;
/** Links that a CAR still has to follow. A block of 2 MiB has up to some 50,000, and a DAG can have them at every level. */
export const CAR_PENDING_MAX = 1 << 18;
/** Blocks that a CAR has on the way ahead of the client. */
export const CAR_AHEAD = 8;
/** A file is read and sent in parts of this size. */
export const FILE_PART_BYTES = 1024 * 1024;
/** Bytes that the type of a file without a known extension is told from. */
export const SNIFF_BYTES = 512;
export const REDIRECTS_BYTES_MAX = 64 * 1024;

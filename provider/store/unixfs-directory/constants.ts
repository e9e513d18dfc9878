/**
 * The profile unixfs-v1-2025 of the IPFS specs (IPIP-499): CIDv1, sha2-256, raw leaves, chunks of 1 MiB, at most 1024 links
 * a file node, directories of one block up to 256 KiB (the exact size of the block) and sharded above.
 */
export const CHUNK_BYTES = 1024 * 1024;
/** A directory whose one block would be larger is sharded; one of exactly this size is not. Kubo's rule. */
export const BASIC_BYTES_MAX = 256 * 1024;
/** Slots of a shard. One byte of a name's hash chooses one. */
export const FANOUT = 256;
/** Kubo uses 64 bits of the hash. Names that are equal in all of them cannot be in one directory. */
export const SHARD_DEPTH_MAX = 8;
/** Bytes of the Data field of a directory node: what a basic directory has besides its links. */
export const DIRECTORY_DATA_BYTES = 4;

/** Limits of a state; the host ABI has the same. */
export const FILE_BYTES_MAX = 16 * 1024 * 1024;
export const PATH_BYTES_MAX = 1024;
export const PATH_SEGMENTS_MAX = 32;
export const NAME_BYTES_MAX = 255;

/** A shard with 256 of the longest names fits; nothing that is made here is larger than a basic directory. */
export const NODE_BYTES_MAX = BASIC_BYTES_MAX;
/** Entries of one directory that are put in order for a listing: about 500 MB of memory. */
export const LISTING_ENTRIES_MAX = 2_000_000;

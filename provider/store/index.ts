export { ByteCache } from './byte-cache.ts';
export { HotCache } from './hot-cache.ts';
export * from './sqlite/index.ts';
export { fetchDag, linksOf, NotAFileError, openFile } from './files.ts';
export type { GetBlock, GetBlockOptions, StoredFile } from './files.ts';
export { openBlockstore } from './blockstore.ts';
export { Hashers, type Hasher, DIGEST_BYTES_MIN } from './blockstore-hashers.ts';
export { blockKey, type FastBlockstore } from './blockstore-types.ts';
export * from './unixfs-directory/index.ts';

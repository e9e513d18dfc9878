export { ByteCache } from './byte-cache.ts';
export { HotCache } from './hot-cache.ts';
export * from './sqlite/index.ts';
export { fetchDag, NotAFileError, openFile } from './files.ts';
export { linkKind, linksOf } from './links.ts';
export { createOnce } from './create-once.ts';
export { BlockQuota } from './block-quota.ts';
export { collectGarbage, type Collected, type CollectInit } from './collect-garbage.ts';
export { DigestSet } from './digest-set.ts';
export { DagTooWideError, walkDag, type WalkInit } from './walk-dag.ts';
export type { GetBlock, GetBlockOptions, StoredFile } from './files.ts';
export { openBlockstore } from './blockstore.ts';
export { Hashers, type Hasher, DIGEST_BYTES_MIN } from './blockstore-hashers.ts';
export {
  blockKey,
  isCollectable,
  type BlockSource,
  type CollectableBlocks,
  type FastBlockstore,
} from './blockstore-types.ts';
export * from './unixfs-directory/index.ts';

import { FsBlockstore } from 'blockstore-fs';
import { DiskBlocks } from './blockstore-disk.ts';
import { Hashers } from './blockstore-hashers.ts';
import { MemoryBlocks } from './blockstore-memory.ts';
import type { FastBlockstore } from './blockstore-types.ts';

/** The node's block store: files under `directory`, or memory without one. */
export async function openBlockstore(directory?: string): Promise<FastBlockstore> {
  if (directory === undefined) return new MemoryBlocks();
  const files = new FsBlockstore(directory);
  await files.open();
  return new DiskBlocks(files, new Hashers());
}

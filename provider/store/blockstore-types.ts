import type { Blockstore } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';

/** Blocks that are not in the block store itself, and never garbage. */
export interface BlockSource {
  size(cid: CID): number | undefined;
  read(cid: CID): Uint8Array | undefined;
  multihashes(): Iterable<CID['multihash']>;
}

/**
 * What a block store may offer besides interface-blockstore: sizes without reading, blocks in one piece. A value instead
 * of a promise saves a turn of the event loop where the answer is in memory.
 */
export interface FastBlockstore extends Blockstore {
  /** Bytes of a block, or undefined when it is not there. */
  size(cid: CID): number | undefined | Promise<number | undefined>;
  /** The whole block in one piece, or undefined when it is not there. */
  read(cid: CID): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /**
   * As `put`, for bytes that nobody needs any more: their whole buffer is the store's from now on, and is given back as
   * soon as it is on the disk.
   */
  take(cid: CID, bytes: Uint8Array): unknown;
  /** Answers with the blocks of another place of this node as well, which keeps them itself, until the answer is called. */
  join(source: BlockSource): () => void;
  /** Hashes the block again, whatever was found before. What does not match is removed. */
  check(cid: CID): Uint8Array | 'missing' | 'corrupt' | Promise<Uint8Array | 'missing' | 'corrupt'>;
}

/** What collecting garbage takes of a block store. */
export interface CollectableBlocks extends FastBlockstore {
  /** Each multihash is only valid until the next. */
  directories(): AsyncIterable<Iterable<CID['multihash']>>;
  startCollecting(): void;
  stopCollecting(): void;
  removeUnused(cid: CID, beforeMs: number, dryRun: boolean): number | undefined;
  /** Called with the bytes that a write added, or a removal took away. */
  onChange(listener: (bytes: number) => void): void;
}

export function isCollectable(store: FastBlockstore): store is CollectableBlocks {
  return 'removeUnused' in store;
}

/** The key under which a block is known: its multihash, so that codecs and CID versions share it. */
export function blockKey(cid: CID): string {
  const { buffer, byteOffset, byteLength } = cid.multihash.bytes;
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** One piece from what interface-blockstore allows as the bytes of a block. */
export async function inOnePiece(
  parts: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  if (parts instanceof Uint8Array) return parts;
  const collected: Uint8Array[] = [];
  for await (const part of parts) collected.push(part);
  return collected.length === 1 ? (collected[0] as Uint8Array) : Buffer.concat(collected);
}

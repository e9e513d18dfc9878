import { BaseBlockstore } from 'blockstore-core';
import type { InputPair, Pair } from 'interface-blockstore';
import { NotFoundError } from 'interface-store';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { BlockSources } from './block-sources.ts';
import { blockKey, type BlockSource, type FastBlockstore, inOnePiece } from './blockstore-types.ts';

/** Blocks in memory, each in one piece. Answers without promises. */
export class MemoryBlocks extends BaseBlockstore implements FastBlockstore {
  readonly #blocks = new Map<string, { cid: CID; bytes: Uint8Array }>();
  readonly #elsewhere = new BlockSources();

  join(source: BlockSource): () => void {
    return this.#elsewhere.add(source);
  }

  size(cid: CID): number | undefined {
    return this.read(cid)?.length;
  }

  read(cid: CID): Uint8Array | undefined {
    return this.#blocks.get(blockKey(cid))?.bytes ?? this.#elsewhere.read(cid);
  }

  check(cid: CID): Uint8Array | 'missing' {
    return this.read(cid) ?? 'missing';
  }

  override has(cid: CID): boolean {
    return this.size(cid) !== undefined;
  }

  override put(cid: CID, value: InputPair['bytes']): CID | Promise<CID> {
    if (!(value instanceof Uint8Array)) return inOnePiece(value).then((bytes) => this.put(cid, bytes));
    this.#blocks.set(blockKey(cid), { cid, bytes: value });
    return cid;
  }

  take(cid: CID, bytes: Uint8Array): void {
    void this.put(cid, bytes);
  }

  override *get(cid: CID): Generator<Uint8Array> {
    const bytes = this.read(cid);
    if (bytes === undefined) throw new NotFoundError(`The block ${cid} is not in memory`);
    yield bytes;
  }

  override delete(cid: CID): void {
    this.#blocks.delete(blockKey(cid));
  }

  override *getAll(): Generator<Pair> {
    for (const { cid } of this.#blocks.values()) yield this.#pairOf(cid.multihash);
    for (const multihash of this.#elsewhere.multihashes()) yield this.#pairOf(multihash);
  }

  #pairOf(multihash: CID['multihash']): Pair {
    const cid = CID.createV1(raw.code, multihash);
    return { cid, bytes: this.get(cid) };
  }
}

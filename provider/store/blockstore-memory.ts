import { BaseBlockstore } from 'blockstore-core';
import type { InputPair, Pair } from 'interface-blockstore';
import { NotFoundError } from 'interface-store';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { blockKey, type FastBlockstore, inOnePiece } from './blockstore-types.ts';

/** Blocks in memory, each in one piece. Answers without promises. */
export class MemoryBlocks extends BaseBlockstore implements FastBlockstore {
  readonly #blocks = new Map<string, { cid: CID; bytes: Uint8Array }>();

  size(cid: CID): number | undefined {
    return this.read(cid)?.length;
  }

  read(cid: CID): Uint8Array | undefined {
    return this.#blocks.get(blockKey(cid))?.bytes;
  }

  check(cid: CID): Uint8Array | 'missing' {
    return this.read(cid) ?? 'missing';
  }

  override has(cid: CID): boolean {
    return this.#blocks.has(blockKey(cid));
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
    for (const { cid, bytes } of this.#blocks.values()) {
      yield {
        cid: CID.createV1(raw.code, cid.multihash),
        bytes: (function* one() {
          yield bytes;
        })(),
      };
    }
  }
}

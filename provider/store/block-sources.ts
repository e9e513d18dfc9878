import type { CID } from 'multiformats/cid';
import type { BlockSource } from './blockstore-types.ts';

/** Where a block store's blocks are besides its own place. */
export class BlockSources {
  readonly #sources = new Set<BlockSource>();

  /** The answer takes it away again. */
  add(source: BlockSource): () => void {
    this.#sources.add(source);
    return () => this.#sources.delete(source);
  }

  size(cid: CID): number | undefined {
    for (const source of this.#sources) {
      const size = source.size(cid);
      if (size !== undefined) return size;
    }
    return undefined;
  }

  read(cid: CID): Uint8Array | undefined {
    for (const source of this.#sources) {
      const bytes = source.read(cid);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  *multihashes(): Generator<CID['multihash']> {
    for (const source of this.#sources) yield* source.multihashes();
  }
}

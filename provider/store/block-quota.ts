import { rawCidOf } from './blockstore-disk.ts';
import type { CollectableBlocks } from './blockstore-types.ts';

/** From this share of the quota on, garbage is worth collecting. */
const HIGH_PERCENT = 90;
const SIZES_AT_ONCE = 64;

/**
 * How much of the disk the block store may take. What it has is counted once, behind everybody's back, and followed from
 * then on; a block that is written over counts twice until the next collection, after which it is counted again.
 */
export class BlockQuota {
  readonly bytesMax: number;
  readonly #blocks: CollectableBlocks;
  #counted: Promise<void> | undefined;
  #bytes = 0;

  constructor(blocks: CollectableBlocks, bytesMax: number) {
    this.#blocks = blocks;
    this.bytesMax = bytesMax;
    blocks.onChange((bytes) => {
      this.#bytes += bytes;
    });
  }

  /** Only after `counted`. */
  get bytes(): number {
    return this.#bytes;
  }

  get isHigh(): boolean {
    return this.#bytes * 100 > this.bytesMax * HIGH_PERCENT;
  }

  get isFull(): boolean {
    return this.#bytes > this.bytesMax;
  }

  counted(): Promise<void> {
    this.#counted ??= this.#count().catch((error: unknown) => {
      this.#counted = undefined;
      throw error;
    });
    return this.#counted;
  }

  /** Counts anew: what was written over, or by others, is put right. */
  recount(): Promise<void> {
    this.#counted = undefined;
    return this.counted();
  }

  async #count(): Promise<void> {
    const before = this.#bytes;
    let bytes = 0;
    for await (const multihashes of this.#blocks.directories()) {
      const cids = Array.from(multihashes, rawCidOf);
      for (let at = 0; at < cids.length; at += SIZES_AT_ONCE) {
        const sizes = await Promise.all(cids.slice(at, at + SIZES_AT_ONCE).map((cid) => this.#blocks.size(cid)));
        for (const size of sizes) bytes += size ?? 0;
      }
    }
    // What has changed meanwhile counts once more or not at all: by one such change.
    this.#bytes += bytes - before;
  }
}

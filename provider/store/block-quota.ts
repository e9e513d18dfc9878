import type { CollectableBlocks } from './blockstore-types.ts';

/** From this share of the quota on, garbage is worth collecting. */
const HIGH_PERCENT = 90;
const SIZES_AT_ONCE = 64;

/**
 * How much of the disk the block store may take. What it has is counted once, behind everybody's back, and followed from
 * then on; a block that is written over counts twice until it is counted again.
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
    this.#counted ??= this.#count();
    return this.#counted;
  }

  async #count(): Promise<void> {
    for await (const cids of this.#blocks.directories()) {
      for (let at = 0; at < cids.length; at += SIZES_AT_ONCE) {
        const sizes = await Promise.all(cids.slice(at, at + SIZES_AT_ONCE).map((cid) => this.#blocks.size(cid)));
        for (const size of sizes) this.#bytes += size ?? 0;
      }
    }
  }
}

import type { ChunkKeeper } from '../wire/frames.ts';
import { giveBack, isOurs } from '../../node/spent-buffers.ts';

/** Yamux's header of a frame: what may lie beside the data of a stream. */
const HEADER_BYTES = 12;

/**
 * Gives the buffers that a stream's bytes came in back, once they were read. A buffer holds what the connection carried,
 * not only what is ours: it is spent when its last bytes are ours, and no more is left than the headers of our own frames.
 * Another frame with data would be a header and at least one byte more; a header behind our bytes is still to be read.
 */
export class SpentChunks implements ChunkKeeper {
  #buffer: ArrayBufferLike | undefined;
  #bytes = 0;
  #chunks = 0;
  #spent: ArrayBufferLike[] = [];

  /** A chunk of the stream came, in order; its bytes are not read yet. */
  add(chunk: Uint8Array): void {
    const { buffer, byteOffset, byteLength } = chunk;
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#bytes = 0;
      this.#chunks = 0;
    }
    this.#bytes += byteLength;
    this.#chunks += 1;
    const isLast = byteOffset + byteLength === buffer.byteLength;
    if (!isLast || buffer.byteLength - this.#bytes > this.#chunks * HEADER_BYTES || !isOurs(buffer)) return;
    this.#spent.push(buffer);
    this.#buffer = undefined;
  }

  release(except?: Uint8Array): void {
    const spent = this.#spent;
    if (spent.length === 0) return;
    this.#spent = [];
    for (const buffer of spent) {
      if (buffer === except?.buffer) this.#spent.push(buffer);
      else giveBack(buffer);
    }
  }
}

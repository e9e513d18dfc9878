import { JobEnd } from '../errors.ts';
import type { ResponseHead } from '../../../sdk/protocol/response-head.ts';
import { decodeHead } from '../abi/head.ts';

const SIZE_START = 4096;
/** A buffer that one job made larger than this is not kept for the next. */
const SIZE_KEPT = 1024 * 1024;

/** Collects a response: the head from the first write, the body from all others. Re-used from job to job. */
export class Output {
  #bytes = new Uint8Array(SIZE_START);
  #size = 0;
  #headSize = 0;
  #head: ResponseHead | undefined;
  #bytesMax = 0;

  reset(bytesMax: number): void {
    if (this.#bytes.length > SIZE_KEPT) this.#bytes = new Uint8Array(SIZE_START);
    this.#size = 0;
    this.#headSize = 0;
    this.#head = undefined;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#size;
  }

  get response(): ResponseHead | undefined {
    return this.#head;
  }

  /** Throws when `length` more bytes are more than the job may write. */
  assertRoom(length: number): void {
    const size = this.#size + length;
    if (size > this.#bytesMax) {
      throw new JobEnd(
        'OUTPUT_LIMIT',
        `The handler wrote ${size} bytes of output; the job allows ${this.#bytesMax}. Raise outputBytesMax or answer less.`,
      );
    }
  }

  write(chunk: Uint8Array): void {
    this.assertRoom(chunk.length);
    if (this.#head === undefined) {
      this.#head = decodeHead(chunk);
      this.#headSize = chunk.length;
    }
    const size = this.#size + chunk.length;
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.min(Math.max(size, this.#bytes.length * 2), Math.max(this.#bytesMax, SIZE_START)),
      );
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }

  /** Views that are valid until the next `reset`. */
  get head(): Uint8Array {
    return this.#bytes.subarray(0, this.#headSize);
  }

  get body(): Uint8Array {
    return this.#bytes.subarray(this.#headSize, this.#size);
  }

  /** Head and body. */
  get all(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }
}

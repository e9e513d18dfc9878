import { InvalidMessageError } from '../errors.ts';

/** Memory for messages that have begun to arrive and are not complete. One for each peer, and one for all of them. */
export interface PartialBudget {
  /** Takes `bytes` (negative: gives back). Returns false, and takes nothing, when the limit would be exceeded. */
  take(bytes: number): boolean;
}

export class LimitedBudget implements PartialBudget {
  used = 0;
  readonly max: number;
  readonly parent: PartialBudget | undefined;

  constructor(max: number, parent?: PartialBudget) {
    this.max = max;
    this.parent = parent;
  }

  take(bytes: number): boolean {
    if (bytes > 0 && this.used + bytes > this.max) return false;
    if (this.parent !== undefined && !this.parent.take(bytes)) return false;
    this.used += bytes;
    return true;
  }
}

/** The first allocation for a message that is announced to be longer than this; it grows as bytes really arrive. */
const FIRST_ALLOCATION_BYTES = 256 * 1024;
const LENGTH_PREFIX_BYTES_MAX = 5;

/**
 * Cuts the bytes of one stream into frames (varint length, then that many bytes). A frame that lies in one chunk is
 * handed on as a view of it; another one is collected in a buffer of its own, so that a stream which stops halfway holds
 * what it sent and not the buffers around it.
 */
export class FrameReader {
  /** When the frame that is under way began, in ms of the monotonic clock; 0 between frames. */
  startedMs = 0;
  readonly #budget: PartialBudget;
  readonly #frameBytesMax: number;
  readonly #onFrame: (frame: Uint8Array, owned: boolean) => void;
  #prefix = 0;
  #prefixBytes = 0;
  #frame: Uint8Array | undefined;
  #frameLength = 0;
  #filled = 0;
  #closed = false;

  /** `onFrame` gets the frame and whether the buffer is its own (then views of it may be kept). */
  constructor(budget: PartialBudget, frameBytesMax: number, onFrame: (frame: Uint8Array, owned: boolean) => void) {
    this.#budget = budget;
    this.#frameBytesMax = frameBytesMax;
    this.#onFrame = onFrame;
  }

  /** @throws InvalidMessageError when a frame is too long or there is no room for it, and whatever `onFrame` throws. */
  push(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length && !this.#closed) {
      if (this.#frame !== undefined) {
        offset = this.#fill(this.#frame, chunk, offset);
        continue;
      }
      const byte = chunk[offset++] as number;
      if (this.#prefixBytes === 0) this.startedMs = performance.now();
      this.#prefix += (byte & 0x7f) * 2 ** (7 * this.#prefixBytes++);
      if (byte >= 0x80) {
        if (this.#prefixBytes === LENGTH_PREFIX_BYTES_MAX)
          throw new InvalidMessageError('A message length is too long');
        continue;
      }
      const length = this.#prefix;
      this.#prefix = 0;
      this.#prefixBytes = 0;
      if (length > this.#frameBytesMax) {
        throw new InvalidMessageError(`A message of ${length} bytes exceeds the limit of ${this.#frameBytesMax}`);
      }
      if (chunk.length - offset >= length) {
        this.startedMs = 0;
        this.#onFrame(chunk.subarray(offset, offset + length), false);
        offset += length;
      } else {
        this.#begin(length);
      }
    }
  }

  /** True when the stream has ended in the middle of a frame. */
  get unfinished(): boolean {
    return this.startedMs !== 0;
  }

  close(): void {
    this.#closed = true;
    if (this.#frame !== undefined) this.#budget.take(-this.#frame.length);
    this.#frame = undefined;
  }

  #begin(length: number): void {
    const size = Math.min(length, FIRST_ALLOCATION_BYTES);
    if (!this.#budget.take(size)) throw new InvalidMessageError('Too many unfinished messages: finish one first');
    this.#frame = Buffer.allocUnsafeSlow(size);
    this.#frameLength = length;
    this.#filled = 0;
  }

  #fill(frame: Uint8Array, chunk: Uint8Array, offset: number): number {
    const count = Math.min(this.#frameLength - this.#filled, chunk.length - offset);
    if (this.#filled + count > frame.length) frame = this.#grow(frame, this.#filled + count);
    frame.set(chunk.subarray(offset, offset + count), this.#filled);
    this.#filled += count;
    if (this.#filled === this.#frameLength) {
      this.#frame = undefined;
      this.startedMs = 0;
      this.#budget.take(-frame.length);
      this.#onFrame(frame, true);
    }
    return offset + count;
  }

  #grow(frame: Uint8Array, needed: number): Uint8Array {
    const size = Math.min(this.#frameLength, Math.max(needed, frame.length * 2));
    if (!this.#budget.take(size - frame.length)) {
      throw new InvalidMessageError('Too many bytes in unfinished messages: finish one first');
    }
    const grown = Buffer.allocUnsafeSlow(size);
    grown.set(frame.subarray(0, this.#filled));
    this.#frame = grown;
    return grown;
  }
}

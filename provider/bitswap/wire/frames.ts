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

/** Who owns the buffers that chunks come in. */
export interface ChunkKeeper {
  add(chunk: Uint8Array): void;
  /** Of all chunks that came before nothing is needed any more, but for the buffer of this one. */
  release(except?: Uint8Array): void;
}

const LENGTH_PREFIX_BYTES_MAX = 5;
/** What one chunk can keep alive: a noise message, or a read from a socket. */
const BUFFER_BYTES_MAX = 64 * 1024;

/**
 * Cuts the bytes of one stream into frames (varint length, then that many bytes). A frame that lies in one chunk is
 * handed on as a view of it; another one is collected and then copied, once, into a buffer of its own. What is collected
 * counts with the whole of the buffers that it keeps alive, not only with the bytes that belong to it.
 */
export class FrameReader {
  /** When the frame that is under way began, in ms of the monotonic clock; 0 between frames. */
  startedMs = 0;
  readonly #budget: PartialBudget;
  readonly #frameBytesMax: number;
  readonly #onFrame: (frame: Uint8Array, owned: boolean) => void;
  #prefix = 0;
  #prefixBytes = 0;
  #parts: Uint8Array[] = [];
  #frameLength = 0;
  /** Bytes of the frame under way that are still to come; 0 between frames. */
  #missing = 0;
  #charged = 0;
  #closed = false;
  readonly #chunks: ChunkKeeper | undefined;

  /**
   * `onFrame` gets the frame and whether the buffer is its own (then views of it may be kept). `chunks` is told of every
   * chunk that comes and when it was read.
   */
  constructor(
    budget: PartialBudget,
    frameBytesMax: number,
    onFrame: (frame: Uint8Array, owned: boolean) => void,
    chunks?: ChunkKeeper,
  ) {
    this.#chunks = chunks;
    this.#budget = budget;
    this.#frameBytesMax = frameBytesMax;
    this.#onFrame = onFrame;
  }

  /** @throws InvalidMessageError when a frame is too long or there is no room for it, and whatever `onFrame` throws. */
  push(chunk: Uint8Array): void {
    this.#chunks?.add(chunk);
    this.#cut(chunk);
    if (this.#parts.length === 0) this.#chunks?.release();
  }

  #cut(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length && !this.#closed) {
      if (this.#missing > 0) {
        offset = this.#collect(chunk, offset);
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
        this.#frameLength = length;
        this.#missing = length;
      }
    }
  }

  /** True when the stream has ended in the middle of a frame. */
  get unfinished(): boolean {
    return this.startedMs !== 0;
  }

  close(): void {
    this.#closed = true;
    this.#missing = 0;
    this.#release();
  }

  #collect(chunk: Uint8Array, offset: number): number {
    const end = Math.min(offset + this.#missing, chunk.length);
    this.#charge(chunk, end - offset);
    this.#parts.push(chunk.subarray(offset, end));
    this.#missing -= end - offset;
    if (this.#missing === 0) {
      const frame = Buffer.concat(this.#parts, this.#frameLength);
      this.startedMs = 0;
      this.#release();
      this.#chunks?.release(chunk);
      this.#onFrame(frame, true);
    }
    return end;
  }

  #charge(chunk: Uint8Array, count: number): void {
    const isSameBuffer = this.#parts.at(-1)?.buffer === chunk.buffer;
    const bytes = isSameBuffer ? 0 : Math.max(count, Math.min(chunk.buffer.byteLength, BUFFER_BYTES_MAX));
    if (!this.#budget.take(bytes)) {
      throw new InvalidMessageError('Too many bytes in unfinished messages: finish one first');
    }
    this.#charged += bytes;
  }

  #release(): void {
    this.#parts = [];
    this.#budget.take(-this.#charged);
    this.#charged = 0;
  }
}

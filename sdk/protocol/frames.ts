import * as varint from 'uint8-varint';
import { Uint8ArrayList } from 'uint8arraylist';
import { WorkswapError } from './errors.ts';

export class FrameError extends WorkswapError {
  constructor(message: string) {
    super('BAD_FRAME', message, { fault: 'consumer' });
  }
}

/** Longest varint that a length below 2^28 can have. */
const LENGTH_BYTES_MAX = 4;

/**
 * Cuts a byte stream into frames: an unsigned varint length, then that many bytes. `push` takes what arrived and calls
 * back for each complete frame, each a view of one contiguous buffer. At most one incomplete frame is kept.
 */
export class FrameReader {
  readonly #bytesMax: number;
  #rest: Uint8Array | undefined;
  /** Chunks of a frame that is longer than what arrived so far, joined only once it is complete. */
  #pending: Uint8ArrayList | undefined;
  #pendingBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @throws FrameError when a length is malformed or over the limit; the stream is then of no more use. */
  push(chunk: Uint8Array | Uint8ArrayList, onFrame: (frame: Uint8Array) => void): void {
    let bytes = this.#join(chunk instanceof Uint8Array ? chunk : chunk.subarray());
    while (bytes !== undefined && bytes.length > 0) {
      const header = this.#header(bytes);
      if (header === undefined) {
        this.#rest = bytes;
        return;
      }
      const end = header.start + header.length;
      if (end > bytes.length) {
        this.#pending = new Uint8ArrayList(bytes);
        this.#pendingBytes = end;
        return;
      }
      const frame = bytes.subarray(header.start, end);
      bytes = bytes.subarray(end);
      onFrame(frame);
    }
  }

  #join(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#pending !== undefined) {
      this.#pending.append(chunk);
      if (this.#pending.length < this.#pendingBytes) return undefined;
      const joined = this.#pending.subarray();
      this.#pending = undefined;
      return joined;
    }
    if (this.#rest === undefined) return chunk;
    const joined = new Uint8Array(this.#rest.length + chunk.length);
    joined.set(this.#rest);
    joined.set(chunk, this.#rest.length);
    this.#rest = undefined;
    return joined;
  }

  #header(bytes: Uint8Array): { start: number; length: number } | undefined {
    let length = 0;
    for (let i = 0; i < LENGTH_BYTES_MAX; i++) {
      const byte = bytes[i];
      if (byte === undefined) return undefined;
      length |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        if (length > this.#bytesMax) {
          throw new FrameError(`A frame of ${length} bytes was announced; ${this.#bytesMax} is the limit`);
        }
        return { start: i + 1, length };
      }
    }
    throw new FrameError(`A frame length has more than ${LENGTH_BYTES_MAX} bytes`);
  }
}

export interface FrameSink {
  send(bytes: Uint8Array | Uint8ArrayList): boolean;
}

/**
 * Collects the frames of one tick and sends them together: a separate `send` for each message costs ten times the
 * throughput at depth (each is encrypted and written on its own).
 */
export class FrameWriter {
  readonly #sink: FrameSink;
  readonly #onError: (error: Error) => void;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #scheduled: NodeJS.Immediate | undefined;

  /** Above this the collected frames are sent without waiting for the end of the tick. */
  static readonly BATCH_BYTES_MAX = 64 * 1024;

  constructor(sink: FrameSink, onError: (error: Error) => void) {
    this.#sink = sink;
    this.#onError = onError;
  }

  write(message: Uint8Array): void {
    const header = varint.encode(message.length) as Uint8Array;
    this.#queue.push(header, message);
    this.#queuedBytes += header.length + message.length;
    if (this.#queuedBytes >= FrameWriter.BATCH_BYTES_MAX) this.flush();
    else this.#scheduled ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#queue.length === 0) return;
    const bytes = new Uint8Array(this.#queuedBytes);
    let offset = 0;
    for (const part of this.#queue) {
      bytes.set(part, offset);
      offset += part.length;
    }
    this.#queue = [];
    this.#queuedBytes = 0;
    try {
      this.#sink.send(bytes);
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

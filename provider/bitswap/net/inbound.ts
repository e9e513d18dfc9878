import type { Stream } from '@libp2p/interface';
import { InvalidMessageError } from '../errors.ts';
import { FrameReader, LimitedBudget } from '../wire/frames.ts';
import { SpentChunks } from './spent-chunks.ts';

/** Everything one peer sends us, over all its streams. */
export class Inbound {
  readonly #budget: LimitedBudget;
  readonly #frameBytesMax: number;
  readonly #onFrame: (frame: Uint8Array, owned: boolean) => void;
  readonly #readers = new Map<Stream, FrameReader>();

  constructor(budget: LimitedBudget, frameBytesMax: number, onFrame: (frame: Uint8Array, owned: boolean) => void) {
    this.#budget = budget;
    this.#frameBytesMax = frameBytesMax;
    this.#onFrame = onFrame;
  }

  get streams(): number {
    return this.#readers.size;
  }

  /** Reads messages from a stream that the peer opened, until it ends or breaks a rule. */
  read(stream: Stream): void {
    // It ended while its protocol was noted: it will not say so again.
    if (stream.status !== 'open') return;
    const reader = new FrameReader(this.#budget, this.#frameBytesMax, this.#onFrame, new SpentChunks());
    this.#readers.set(stream, reader);
    stream.addEventListener('message', ({ data }) => {
      try {
        if (data instanceof Uint8Array) reader.push(data);
        else for (const chunk of data) reader.push(chunk);
      } catch (error) {
        stream.abort(error as Error);
      }
    });
    stream.addEventListener('close', () => this.#drop(stream));
    // We never write on a stream that the peer opened, and a half-closed stream counts against the peer's limit.
    stream.close().catch((error: Error) => stream.abort(error));
  }

  /** Resets the streams on which a message has been under way since before `beforeMs`. */
  expire(beforeMs: number): void {
    for (const [stream, reader] of this.#readers) {
      if (reader.startedMs !== 0 && reader.startedMs < beforeMs) {
        stream.abort(new InvalidMessageError('The message did not arrive in time'));
      }
    }
  }

  abort(reason: Error): void {
    for (const stream of this.#readers.keys()) stream.abort(reason);
  }

  #drop(stream: Stream): void {
    this.#readers.get(stream)?.close();
    this.#readers.delete(stream);
  }
}

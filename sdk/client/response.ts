import type { SealedReceipt } from '../protocol/index.ts';

/**
 * The answer of a job. `status` and `headers` are there at once; the body comes as chunks, and the receipt after the
 * last of them. Reading the body to its end and then `receipt` is the normal use; `bytes()` and `text()` do the former.
 */
export interface Response extends AsyncIterable<Uint8Array> {
  status: number;
  headers: Record<string, string>;
  /** Resolves when the receipt has been checked against everything that was received, and recorded. */
  receipt: Promise<SealedReceipt>;
  /** The consumer's account at the provider after this job. Set once `receipt` has resolved. */
  credit?: { balance: number; limit: number };
  bytes(): Promise<Uint8Array>;
  text(): Promise<string>;
}

/** A body that is filled by one side and read once by the other. */
export class BodyQueue {
  #chunks: Uint8Array[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  end(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunks = this.#chunks;
      this.#chunks = [];
      yield* chunks;
      if (this.#chunks.length > 0) continue;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of chunks) {
    parts.push(part);
    length += part.length;
  }
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** The same folder in a checkout (TypeScript as it is) and in the published package. */
const ENTRY = new URL(`./block-writer-thread${extname(import.meta.filename)}`, import.meta.url);

export interface BlockToWrite {
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** For each block of a batch, in its order, why it was not written. */
export type WriteAnswers = (string | undefined)[];

/**
 * Writes blocks that come in great numbers on a thread of its own, all of one turn of the event loop together. From here
 * a block would be four jobs for Node's threads, each of which has to be woken: a fifth of what the main thread does for
 * a block that is fetched. The buffers move to the thread, which gives them back when they are written.
 */
export class BlockWriter {
  #worker: Worker | undefined;
  #batch: BlockToWrite[] = [];
  /** In the order in which blocks were sent, which is that of the answers. */
  #waiting: PromiseWithResolvers<void>[] = [];

  /** As `writeBlockFile`. The buffer of the bytes is gone from the next turn of the event loop on. */
  write(path: string, block: Uint8Array): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.#waiting.push(written);
    const bytes = ownBuffer(block);
    if (this.#batch.push({ path, bytes }) === 1) setImmediate(() => this.#send());
    return written.promise;
  }

  #send(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#worker ??= this.#start();
    // The process goes on until they are written.
    this.#worker.ref();
    try {
      this.#worker.postMessage(
        batch,
        batch.map(({ bytes }) => bytes.buffer),
      );
    } catch (error) {
      this.#lose(error);
    }
  }

  #start(): Worker {
    const worker = new Worker(ENTRY, { name: 'workswap-blocks' });
    worker.on('message', (answers: WriteAnswers) => {
      for (const [i, { resolve, reject }] of this.#waiting.splice(0, answers.length).entries()) {
        if (answers[i] === undefined) resolve();
        else reject(new Error(answers[i]));
      }
      if (this.#waiting.length === 0) worker.unref();
    });
    const lose = (error: unknown): void => {
      if (this.#worker === worker) this.#lose(error);
    };
    worker.on('error', lose);
    worker.on('exit', (code) => lose(new Error(`The thread that writes blocks ended with ${code}`)));
    return worker;
  }

  /** What was under way is written or not, never torn; the next block begins a new thread. */
  #lose(cause: unknown): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
    this.#batch = [];
    for (const { reject } of this.#waiting.splice(0)) reject(cause);
  }
}

/** The block in a buffer that can be moved: a small one may share its buffer with others. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const isOwn = bytes.buffer instanceof ArrayBuffer && bytes.byteLength * 2 > bytes.buffer.byteLength;
  return isOwn ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

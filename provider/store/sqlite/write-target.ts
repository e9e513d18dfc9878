import { extname } from 'node:path';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { StoreError, type StoreErrorCode } from '../errors.ts';
import type { Database } from './database.ts';

/** The same folder in a checkout (TypeScript as it is) and in the published package. */
const ENTRY = new URL(`./write-thread${extname(import.meta.filename)}`, import.meta.url);

/** Writes batches, each in one transaction. A module that exports `openWriter` makes one, on whichever thread it is needed. */
export interface BatchWriter<Batch, Written> {
  /** @throws StoreError; anything else ends the thread */
  write(batch: Batch): Written;
}

export interface WriterModule<Batch, Written> {
  openWriter(database: Database): BatchWriter<Batch, Written>;
}

/** Where batches become durable: on this thread or on another. One batch at a time. */
export interface WriteTarget<Batch, Written> {
  write(batch: Batch, transfer?: ArrayBuffer[]): Promise<Written>;
  close(): Promise<void>;
}

export interface WriteRequest {
  path: string;
  /** URL of the WriterModule. */
  module: string;
}

export type WriteAnswer =
  | { written: unknown }
  | { refused: { code: string; message: string; sqliteCode: number | undefined; retryable: boolean } };

/**
 * Writes a database of this process on a thread of its own, so that nobody waits for the disk who does not have to. A
 * database in memory exists in one thread only, and never waits for a disk.
 *
 * @param module `new URL('./writer.ts', import.meta.url)`, with the ending that the calling file has
 */
export async function openWriteTarget<Batch, Written>(
  database: Database,
  module: URL,
): Promise<WriteTarget<Batch, Written>> {
  if (database.path !== ':memory:') return threadTarget(database.path, module);
  const { openWriter } = (await import(module.href)) as WriterModule<Batch, Written>;
  const writer = openWriter(database);
  return { write: async (batch) => writer.write(batch), close: async () => {} };
}

function threadTarget<Batch, Written>(path: string, module: URL): WriteTarget<Batch, Written> {
  const request: WriteRequest = { path, module: module.href };
  const worker = new Worker(ENTRY, { workerData: request, name: 'workswap-store' });
  let waiting: PromiseWithResolvers<Written> | undefined;
  let lost: StoreError | undefined;
  // The process may end while nothing is being written.
  worker.unref();

  /** Whether the last batch was written is not known, so nothing may go on: a restart reads the truth from the disk. */
  function lose(cause: unknown): void {
    const message = `The thread that writes ${path} ended. Restart the provider.`;
    lost ??= new StoreError('STORE_UNAVAILABLE', message, { path, cause });
    waiting?.reject(lost);
    waiting = undefined;
  }

  worker.on('message', (answer: WriteAnswer) => {
    const current = waiting;
    waiting = undefined;
    worker.unref();
    if ('written' in answer) current?.resolve(answer.written as Written);
    else {
      const { code, message, sqliteCode, retryable } = answer.refused;
      current?.reject(new StoreError(code as StoreErrorCode, message, { path, sqliteCode, retryable }));
    }
  });
  worker.on('error', lose);
  worker.on('exit', (code) => lose(new Error(`exit code ${code}`)));

  return {
    write(batch, transfer = []) {
      if (lost !== undefined) return Promise.reject(lost);
      waiting = Promise.withResolvers();
      worker.ref();
      worker.postMessage(batch, transfer);
      return waiting.promise;
    },
    async close() {
      if (lost !== undefined) return;
      const exit = once(worker, 'exit');
      worker.ref();
      worker.postMessage('close');
      await exit;
    },
  };
}

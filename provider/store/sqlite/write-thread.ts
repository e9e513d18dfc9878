import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../errors.ts';
import { openDatabase } from './database.ts';
import type { WriteAnswer, WriterModule, WriteRequest } from './write-target.ts';

const { path, module } = workerData as WriteRequest;
const { openWriter } = (await import(module)) as WriterModule<unknown, unknown>;

// The main thread holds the lock of the file for the whole process.
const database = openDatabase(path, { lock: false });
const writer = openWriter(database);

parentPort?.on('message', (message: unknown) => {
  if (message === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(write(message));
});

/** An error that crosses threads loses its class; the other side makes it again. What should not be ends the thread. */
function write(batch: unknown): WriteAnswer {
  try {
    return { written: writer.write(batch) };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { code, message, retryable, sqliteCode } = error;
    return { refused: { code, message, sqliteCode, retryable } };
  }
}

import { parentPort, workerData } from 'node:worker_threads';
import { openDatabase, StoreError } from '../../store/index.ts';
import type { Batch } from './batch.ts';
import { StateError } from './errors.ts';
import type { ThreadAnswer } from './thread-target.ts';
import { StateWriter } from './writer.ts';

const { path } = workerData as { path: string };

// The main thread holds the lock of the file for the whole process.
const database = openDatabase(path, { lock: false });
const writer = new StateWriter(database);

parentPort?.on('message', (message: Batch | 'close') => {
  if (message === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(write(message));
});

/** An error that crosses threads loses its class; the other side makes it again. What should not be ends the thread. */
function write(batch: Batch): ThreadAnswer {
  try {
    return { written: writer.write(batch) };
  } catch (error) {
    if (!(error instanceof StoreError || error instanceof StateError)) throw error;
    const { code, message, retryable } = error;
    const isStore = error instanceof StoreError;
    const sqliteCode = isStore ? error.sqliteCode : undefined;
    return { refused: { kind: isStore ? 'store' : 'state', code, message, sqliteCode, retryable } };
  }
}

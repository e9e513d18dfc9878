import { parentPort, workerData } from 'node:worker_threads';

import { openDatabase, StoreError } from '../store/sqlite/index.ts';
import type { Batch } from './batch.ts';
import type { ThreadAnswer, ThreadInit } from './thread-target.ts';
import { LedgerWriter } from './writer.ts';

const { path, port, answered } = workerData as ThreadInit;
const counter = new Int32Array(answered);

// The main thread holds the lock of the file for the whole process.
const database = openDatabase(path, { lock: false });
const writer = new LedgerWriter(database);

port.on('message', (batch: Batch | 'close') => {
  if (batch === 'close') {
    database.close();
    port.close();
    parentPort?.close();
    count();
    return;
  }
  port.postMessage(commit(batch));
  count();
});

function commit(batch: Batch): ThreadAnswer {
  try {
    return { committed: writer.commit(batch) };
  } catch (error) {
    if (!(error instanceof StoreError)) return { broken: String(error) };
    // An error that crosses threads loses its class; the other side makes it again from these.
    const { code, message, sqliteCode, retryable } = error;
    return { refused: { code, message, path, sqliteCode, retryable } };
  }
}

/** Wakes a main thread that waits for this answer without its event loop. */
function count(): void {
  Atomics.add(counter, 0, 1);
  Atomics.notify(counter, 0);
}

import { extname } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';

import { StoreError, type StoreErrorCode } from '../store/sqlite/index.ts';
import type { Batch, Committed } from './batch.ts';
import { LedgerError } from './errors.ts';
import type { CommitTarget } from './group-commit.ts';
import { NOTHING_COMMITTED } from './inline-target.ts';

/** The same folder in a checkout (TypeScript as it is) and in the published package. */
const ENTRY = new URL(`./writer-thread${extname(import.meta.filename)}`, import.meta.url);

export interface ThreadInit {
  path: string;
  port: MessagePort;
  /** Number of messages that the thread is done with. */
  answered: SharedArrayBuffer;
}

export interface Refused {
  code: string;
  message: string;
  path: string;
  sqliteCode: number | undefined;
  retryable: boolean;
}

/** `broken`: an error that should not be; the thread ends. */
export type ThreadAnswer = { committed: Committed } | { refused: Refused } | { broken: string };

/** The longest that a synchronous stop waits for the disk. */
const DRAIN_MS_MAX = 30_000;

/** Commits on a thread of its own, so that the event loop does not stand still while the disk syncs. */
export function threadTarget(path: string, onLost: (error: LedgerError) => void): CommitTarget {
  const answered = new SharedArrayBuffer(4);
  const counter = new Int32Array(answered);
  const { port1: port, port2 } = new MessageChannel();
  const init: ThreadInit = { path, port: port2, answered };
  const worker = new Worker(ENTRY, { workerData: init, transferList: [port2], name: 'workswap-ledger' });
  let inFlight: ((error: unknown, committed: Committed) => void) | undefined;
  let lost: LedgerError | undefined;
  let closed = false;

  function answer(message: ThreadAnswer): void {
    if ('broken' in message) {
      lose(new Error(message.broken));
      return;
    }
    const done = inFlight;
    inFlight = undefined;
    port.unref();
    if ('committed' in message) done?.(undefined, message.committed);
    else done?.(toError(message.refused), NOTHING_COMMITTED);
  }

  /** Whether the last commit happened is not known, so nothing may go on: a restart reads the truth from the disk. */
  function lose(cause: unknown): void {
    if (closed || lost !== undefined) return;
    lost = new LedgerError('LEDGER_STOPPED', "The ledger's writer thread ended. Restart the node.", { cause });
    const done = inFlight;
    inFlight = undefined;
    port.close();
    void worker.terminate();
    onLost(lost);
    done?.(lost, NOTHING_COMMITTED);
  }

  port.on('message', answer);
  // The process may end while the ledger is idle, but not while somebody waits for a commit.
  port.unref();
  worker.unref();
  worker.on('error', lose);
  worker.on('exit', (code) => lose(new Error(`exit code ${code}`)));

  /** True when the thread has answered what was posted before. */
  function wait(seen: number, deadlineMs: number): boolean {
    return Atomics.wait(counter, 0, seen, Math.max(0, deadlineMs - performance.now())) !== 'timed-out';
  }

  return {
    submit(batch: Batch, done) {
      if (lost !== undefined) {
        done(lost, NOTHING_COMMITTED);
        return;
      }
      inFlight = done;
      port.ref();
      port.postMessage(batch, batch.receipts === undefined ? [] : [batch.receipts.bytes.buffer]);
    },
    drain() {
      const deadlineMs = performance.now() + DRAIN_MS_MAX;
      while (inFlight !== undefined) {
        const seen = Atomics.load(counter, 0);
        const received = receiveMessageOnPort(port) as { message: ThreadAnswer } | undefined;
        if (received !== undefined) answer(received.message);
        else if (!wait(seen, deadlineMs)) lose(new Error(`no answer within ${DRAIN_MS_MAX} ms`));
      }
    },
    close() {
      closed = true;
      if (lost !== undefined) return;
      const seen = Atomics.load(counter, 0);
      port.postMessage('close');
      wait(seen, performance.now() + DRAIN_MS_MAX);
      port.close();
    },
  };
}

function toError({ code, message, path, sqliteCode, retryable }: Refused) {
  return new StoreError(code as StoreErrorCode, message, { path, sqliteCode, retryable });
}

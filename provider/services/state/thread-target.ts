import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreError, type StoreErrorCode } from '../../store/index.ts';
import type { Written } from './batch.ts';
import { StateError, type StateErrorCode } from './errors.ts';
import type { WriteTarget } from './target.ts';

export interface Refused {
  kind: 'store' | 'state';
  code: string;
  message: string;
  sqliteCode: number | undefined;
  retryable: boolean;
}

export type ThreadAnswer = { written: Written } | { refused: Refused };

/** Writes on a thread of its own: the next updates run while the disk syncs the last ones. */
export function threadTarget(path: string): WriteTarget {
  const worker = new Worker(threadUrl(), { workerData: { path }, name: 'workswap-state' });
  let waiting: PromiseWithResolvers<Written> | undefined;
  let lost: StateError | undefined;
  // The process may end while nothing is being written.
  worker.unref();

  function settle(answer: ThreadAnswer): void {
    const current = waiting;
    waiting = undefined;
    worker.unref();
    if ('written' in answer) current?.resolve(answer.written);
    else current?.reject(toError(answer.refused, path));
  }

  /** Whether the last batch was written is not known, so nothing may go on: a restart reads the truth from the disk. */
  function lose(cause: unknown): void {
    lost ??= new StateError('STATE_STOPPED', "The thread that writes services' states ended. Restart the provider.", {
      cause,
    });
    waiting?.reject(lost);
    waiting = undefined;
  }

  worker.on('message', settle);
  worker.on('error', lose);
  worker.on('exit', (code) => lose(new Error(`exit code ${code}`)));

  return {
    write(batch) {
      if (lost !== undefined) return Promise.reject(lost);
      waiting = Promise.withResolvers();
      worker.ref();
      worker.postMessage(batch, [batch.blockBytes.buffer as ArrayBuffer]);
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

function toError({ kind, code, message, sqliteCode, retryable }: Refused, path: string): Error {
  if (kind === 'state') return new StateError(code as StateErrorCode, message);
  return new StoreError(code as StoreErrorCode, message, { path, sqliteCode, retryable });
}

/** The same folder in a checkout (TypeScript as it is) and in the published package. */
function threadUrl(): URL {
  return new URL(`./writer-thread${extname(import.meta.filename)}`, import.meta.url);
}

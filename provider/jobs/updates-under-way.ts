import type { CID } from 'multiformats/cid';
import { keyOfCid } from '../store/index.ts';
import { raceSignal } from '../sandbox/index.ts';
import type { FinishedJob } from './run-job.ts';

/** Updates that run now: whoever sends the same task meanwhile waits for it, and gets the same answer. */
export class UpdatesUnderWay {
  readonly #running = new Map<string, Promise<FinishedJob>>();

  async run(task: CID, start: () => Promise<FinishedJob>, signal: AbortSignal): Promise<FinishedJob> {
    const key = keyOfCid(task);
    for (let first = this.#running.get(key); first !== undefined; first = this.#running.get(key)) {
      // It may fail for a reason of its own, being cancelled for example; then the next one runs.
      const finished = await raceSignal(first, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (finished !== undefined) return { ...finished, isRepeat: true };
    }
    const running = start();
    this.#running.set(key, running);
    try {
      return await running;
    } finally {
      this.#running.delete(key);
    }
  }
}

import type { CancelSignal } from '../cancellation.ts';

interface Waiting {
  bytes: number;
  admit: () => void;
}

/** A counting semaphore over bytes, first come first served. */
export class ByteBudget {
  readonly #max: number;
  #used = 0;
  #queue: Waiting[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Waits until `bytes` (never more than the whole budget) are free; call the answer once to give them back. */
  async acquire(bytes: number, signal: CancelSignal): Promise<() => void> {
    const wanted = Math.min(bytes, this.#max);
    if (signal.aborted) throw signal.reason;
    if (this.#queue.length > 0 || this.#used + wanted > this.#max) await this.#wait(wanted, signal);
    else this.#used += wanted;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#used -= wanted;
      this.#admit();
    };
  }

  #wait(bytes: number, signal: CancelSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#queue = this.#queue.filter((other) => other !== waiting);
        reject(signal.reason as Error);
        this.#admit();
      };
      const waiting = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal.addEventListener('abort', abort);
      this.#queue.push(waiting);
    });
  }

  #admit(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.#used + next.bytes > this.#max) return;
      this.#queue.shift();
      this.#used += next.bytes;
      next.admit();
    }
  }
}

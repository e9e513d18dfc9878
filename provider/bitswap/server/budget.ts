/** Somebody who waits for room to load blocks. */
interface Waiter<T> {
  bytes: number;
  rank: T;
  resolve: () => void;
}

/** Every so many grants go to whoever waits longest, so that order of merit never starves anybody. */
const OLDEST_EVERY = 4;

/** Bytes of blocks that are in memory on their way to peers. Under contention, `before` says who goes first. */
export class SendBudget<T> {
  readonly #max: number;
  readonly #before: (a: T, b: T) => boolean;
  #waiters: Waiter<T>[] = [];
  #used = 0;
  #grants = 0;

  constructor(max: number, before: (a: T, b: T) => boolean) {
    this.#max = max;
    this.#before = before;
  }

  get usedBytes(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Undefined when there was room at once. A single request larger than everything is let through alone. */
  take(bytes: number, rank: T, signal: AbortSignal): Promise<void> | undefined {
    if (this.#waiters.length === 0 && this.#fits(bytes)) {
      this.#used += bytes;
      return undefined;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter<T> = { bytes, rank, resolve: () => resolve() };
    const onAbort = (): void => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiter.resolve = () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    this.#waiters.push(waiter);
    return promise;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    while (this.#waiters.length > 0) {
      const index = this.#next();
      const waiter = this.#waiters[index] as Waiter<T>;
      if (!this.#fits(waiter.bytes)) return;
      this.#waiters.splice(index, 1);
      this.#used += waiter.bytes;
      this.#grants++;
      waiter.resolve();
    }
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.#max;
  }

  #next(): number {
    if (this.#grants % OLDEST_EVERY === 0) return 0;
    let best = 0;
    for (let index = 1; index < this.#waiters.length; index++) {
      const waiter = this.#waiters[index] as Waiter<T>;
      if (this.#before(waiter.rank, (this.#waiters[best] as Waiter<T>).rank)) best = index;
    }
    return best;
  }
}

export type Settled<T> = { value: T } | { error: unknown };

export interface Share<T> {
  settled: Settled<T>;
  /** True for one of the callers: the one who asked first, or who has waited longest when the first have left. */
  first: boolean;
}

interface Flight<T> {
  promise: Promise<Settled<T>>;
  controller: AbortController;
  /** In the order they came. */
  waiters: Set<symbol>;
}

/** Work that several callers want at once is done once, and goes on for as long as one of them waits for it. */
export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>();

  async join(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<Share<T>> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    const self = Symbol(key);
    flight.waiters.add(self);
    const { promise: left, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => {
      flight.waiters.delete(self);
      if (flight.waiters.size === 0) this.#abandon(key, flight, signal?.reason);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const settled = await Promise.race([flight.promise, left]);
      const first = flight.waiters.values().next().value === self;
      return { settled, first };
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  abort(reason: unknown): void {
    for (const [key, flight] of this.#flights) this.#abandon(key, flight, reason);
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const settle = async (): Promise<Settled<T>> => {
      try {
        return { value: await work(controller.signal) };
      } catch (error) {
        return { error };
      } finally {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      }
    };
    const flight: Flight<T> = { promise: Promise.resolve().then(settle), controller, waiters: new Set() };
    this.#flights.set(key, flight);
    return flight;
  }

  /** The next caller starts anew: this flight is going down. */
  #abandon(key: string, flight: Flight<T>, reason: unknown): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    flight.controller.abort(reason);
  }
}

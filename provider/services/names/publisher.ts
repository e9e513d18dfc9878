import type { NameRecord } from './records.ts';
import type { NameRouter } from './routing-sources.ts';

/** The DHT forgets a record after 48 hours. */
const AGAIN_MS = 12 * 3_600_000;
const TIMEOUT_MS = 60_000;

/** Puts the records of hosted services where others look for them, now and again. */
export class Publisher {
  readonly #routers: readonly NameRouter[];
  readonly #records: () => NameRecord[];
  readonly #onError: (error: unknown) => void;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(routers: readonly NameRouter[], records: () => NameRecord[], onError: (error: unknown) => void) {
    this.#routers = routers;
    this.#records = records;
    this.#onError = onError;
  }

  start(): void {
    if (this.#routers.length === 0) return;
    this.#timer = setInterval(() => void this.#publishAll(), AGAIN_MS).unref();
    void this.#publishAll();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stop.abort(new Error('The node is stopping'));
  }

  /** In the background: whoever hosts does not wait for strangers. */
  publish(record: NameRecord): void {
    void this.#publish(record);
  }

  async #publishAll(): Promise<void> {
    for (const record of this.#records()) await this.#publish(record);
  }

  async #publish({ name, bytes }: NameRecord): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    for (const router of this.#routers) {
      await router.publish(name, bytes, signal).catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#onError(error);
      });
    }
  }
}

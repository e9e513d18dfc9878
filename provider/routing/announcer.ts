import type { Logger } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { blockKey } from '../store/index.ts';
import type { RoutingLimits } from './limits.ts';
import { pause } from './pause.ts';

const RETRY_MS_MAX = 600_000;
const RESCAN_MS = 3_600_000;

export interface AnnouncerInit {
  /** Resolves with the number of peers that were told. */
  provide: (cid: CID, options: { signal: AbortSignal }) => Promise<number>;
  /** Everything that is to be announced besides what `announce` was called for; asked at the start and once an hour. */
  held?: () => AsyncIterable<CID>;
  limits: RoutingLimits;
  log: Logger | undefined;
}

/**
 * Tells the DHT what we hold, each CID until at least one peer was told; from then on the DHT renews it. At the start
 * nobody may be there yet to be told, so failures are repeated, ever more seldom.
 */
export class Announcer {
  readonly #init: AnnouncerInit;
  readonly #stop = new AbortController();
  /** By multihash, which is what the DHT knows. */
  readonly #known = new Set<string>();
  readonly #queue: { cid: CID; retryMs: number }[] = [];
  #running = 0;

  constructor(init: AnnouncerInit) {
    this.#init = init;
  }

  start(): void {
    this.#scan().catch((error: unknown) => this.#init.log?.('cannot list what is held - %e', error));
  }

  stop(): void {
    this.#stop.abort(new Error('Routing is stopping'));
    this.#queue.length = 0;
  }

  /** Returns whether the CID is announced: false when `announcedMax` are already. */
  announce(cid: CID): boolean {
    const key = blockKey(cid);
    if (this.#known.has(key)) return true;
    if (this.#stop.signal.aborted || this.#known.size >= this.#init.limits.announcedMax) return false;
    this.#known.add(key);
    this.#queue.push({ cid, retryMs: this.#init.limits.announceRetryMs });
    this.#next();
    return true;
  }

  async #scan(): Promise<void> {
    if (this.#init.held === undefined) return;
    do {
      for await (const cid of this.#init.held()) {
        if (!this.announce(cid)) break;
      }
      await pause(RESCAN_MS, this.#stop.signal);
    } while (!this.#stop.signal.aborted);
  }

  #next(): void {
    while (this.#running < this.#init.limits.announcementsMax) {
      const item = this.#queue.shift();
      if (item === undefined) return;
      this.#running++;
      this.#tell(item.cid, item.retryMs).finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }

  async #tell(cid: CID, retryMs: number): Promise<void> {
    const { limits, provide, log } = this.#init;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(limits.announceTimeoutMs)]);
    try {
      if ((await provide(cid, { signal })) > 0) return;
    } catch (error) {
      log?.('cannot announce %c - %e', cid, error);
    }
    await pause(retryMs, this.#stop.signal);
    if (!this.#stop.signal.aborted) this.#queue.push({ cid, retryMs: Math.min(retryMs * 2, RETRY_MS_MAX) });
  }
}

import type { Libp2p, Logger, PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { CID } from 'multiformats/cid';
import type { BitswapLimits } from '../constants.ts';
import type { FetchSession } from './session.ts';
import type { Want } from './want.ts';

export interface Provider {
  id: PeerId;
  multiaddrs?: Multiaddr[];
}

/** Where providers of a block come from when no connected peer has it: the DHT, delegated routing, a list. */
export interface ContentRouter {
  findProviders(cid: CID, options: { signal: AbortSignal }): AsyncIterable<Provider>;
}

const SEARCH_TIMEOUT_MS = 30_000;
const DIAL_TIMEOUT_MS = 10_000;
const RETRY_MS_MAX = 600_000;

/**
 * Looks for providers, one search at a time for each session: the blocks of a session are likely to be together, so one
 * of them stands for all. Searches again, ever more seldom, while the session has parked wants.
 */
export class ProviderSearch {
  readonly #libp2p: Libp2p;
  readonly #router: ContentRouter;
  readonly #limits: BitswapLimits;
  readonly #log: Logger | undefined;
  readonly #active = new Set<FetchSession>();
  readonly #stop = new AbortController();
  #running = 0;
  #waiting: (() => void)[] = [];

  constructor(libp2p: Libp2p, router: ContentRouter, limits: BitswapLimits, log: Logger | undefined) {
    this.#libp2p = libp2p;
    this.#router = router;
    this.#limits = limits;
    this.#log = log;
  }

  /** `parked` gives a want that the session still cannot place, if there is one. */
  start(session: FetchSession, parked: () => Want | undefined): void {
    if (this.#active.has(session) || this.#stop.signal.aborted) return;
    this.#active.add(session);
    this.#repeat(session, parked).finally(() => this.#active.delete(session));
  }

  stop(): void {
    this.#stop.abort(new Error('Bitswap is stopping'));
    for (const resume of this.#waiting.splice(0)) resume();
  }

  async #repeat(session: FetchSession, parked: () => Want | undefined): Promise<void> {
    let pauseMs = this.#limits.routerRetryMs;
    for (;;) {
      const want = parked();
      if (want === undefined || session.closed || this.#stop.signal.aborted) return;
      await this.#turn();
      try {
        await this.#search(session, want.cid);
      } catch (error) {
        this.#log?.('search for providers of %c failed - %e', want.cid, error);
      } finally {
        this.#running--;
        this.#waiting.shift()?.();
      }
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX);
    }
  }

  async #turn(): Promise<void> {
    while (this.#running >= this.#limits.searchesMax && !this.#stop.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    this.#running++;
  }

  async #search(session: FetchSession, cid: CID): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(SEARCH_TIMEOUT_MS)]);
    const dials: Promise<void>[] = [];
    for await (const provider of this.#router.findProviders(cid, { signal })) {
      if (provider.id.equals(this.#libp2p.peerId)) continue;
      dials.push(this.#connect(session, provider, signal));
      if (dials.length >= this.#limits.providersPerSearchMax) break;
    }
    await Promise.all(dials);
  }

  async #connect(session: FetchSession, { id, multiaddrs }: Provider, signal: AbortSignal): Promise<void> {
    try {
      if (this.#libp2p.getConnections(id).length === 0) {
        if (multiaddrs !== undefined && multiaddrs.length > 0) await this.#libp2p.peerStore.merge(id, { multiaddrs });
        await this.#libp2p.dial(id, { signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]) });
      }
      session.addPeer(id);
    } catch (error) {
      this.#log?.('cannot reach provider %p - %e', id, error);
    }
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    timer.unref();
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
    return promise;
  }
}

import type { Logger } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import type { ContentRouter, Provider } from '../bitswap/index.ts';
import type { AddressFilter } from './addresses.ts';
import type { RoutingLimits } from './limits.ts';

/**
 * Several routers as one. All are asked at the same time and answers are handed on as they come, so a slow router delays
 * nobody. Each has an equal share of the providers that a search may name: one that lists strangers by the thousand cannot
 * keep the others' answers from being tried. A router that fails counts as one that found nothing.
 */
export class Routers implements ContentRouter {
  readonly #routers: readonly ContentRouter[];
  readonly #filter: AddressFilter;
  readonly #limits: RoutingLimits;
  readonly #log: Logger | undefined;

  constructor(routers: readonly ContentRouter[], filter: AddressFilter, limits: RoutingLimits, log?: Logger) {
    this.#routers = routers;
    this.#filter = filter;
    this.#limits = limits;
    this.#log = log;
  }

  async *findProviders(cid: CID, options: { signal: AbortSignal }): AsyncGenerator<Provider> {
    const enough = new AbortController();
    const signal = AbortSignal.any([options.signal, enough.signal]);
    const found: Provider[] = [];
    const seen = new Set<string>();
    let running = this.#routers.length;
    let news = Promise.withResolvers<void>();
    for (const router of this.#routers) {
      this.#collect(router, cid, signal, (provider) => {
        if (!isNew(provider, seen)) return false;
        found.push(provider);
        news.resolve();
        return true;
      })
        .catch((error: unknown) => {
          if (!signal.aborted) this.#log?.('a router failed to find providers of %c - %e', cid, error);
        })
        .finally(() => {
          running--;
          news.resolve();
        });
    }
    try {
      for (;;) {
        yield* found.splice(0);
        if (running === 0 && found.length === 0) return;
        await news.promise;
        news = Promise.withResolvers();
      }
    } finally {
      enough.abort();
    }
  }

  async #collect(
    router: ContentRouter,
    cid: CID,
    signal: AbortSignal,
    onFound: (provider: Provider) => boolean,
  ): Promise<void> {
    let left = Math.max(1, Math.floor(this.#limits.providersMax / this.#routers.length));
    for await (const { id, multiaddrs = [] } of router.findProviders(cid, { signal })) {
      if (signal.aborted) return;
      const dialable = multiaddrs
        .filter((address) => this.#filter(address, id))
        .slice(0, this.#limits.addressesPerProviderMax);
      // A provider without any address may be found by its id; one with only refused addresses is left alone.
      if (multiaddrs.length > 0 && dialable.length === 0) continue;
      if (onFound({ id, multiaddrs: dialable }) && --left === 0) return;
    }
  }
}

/** Whether this provider, or one of its addresses, was not named before. */
function isNew({ id, multiaddrs = [] }: Provider, seen: Set<string>): boolean {
  const before = seen.size;
  seen.add(id.toString());
  for (const address of multiaddrs) seen.add(`${id.toString()} ${address.toString()}`);
  return seen.size > before;
}

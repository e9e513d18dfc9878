import { join } from 'node:path';
import type { Client } from '../../sdk/client/index.ts';
import type { Peer } from '../peer.ts';
import type { RoutingConfig } from '../routing/index.ts';
import { openDatabase } from '../store/index.ts';
import { SERVICES_LIMITS } from './limits.ts';
import {
  DelegatedNames,
  DhtNames,
  NameResolver,
  NameStore,
  openDnsLink,
  PeersSource,
  ServiceKeys,
} from './names/index.ts';
import type { DnsLink, NameRecord, NameRouter } from './names/index.ts';
import { RemoteRunner } from './runner/remote-runner.ts';

export interface ConsumerServicesInit {
  peer: Peer;
  dataDir: string | undefined;
  /** Name of the file in the data directory: two processes cannot share one. */
  namesFile?: string;
  routing: RoutingConfig;
  dnslink: boolean | readonly string[];
  connect: (addrs: string[], options: { signal: AbortSignal }) => Promise<Client>;
}

/** Names and services as a consumer uses them. */
export interface ConsumerServices {
  runner: RemoteRunner;
  /** Undefined when it is off. */
  dnslink: DnsLink | undefined;
  /** What an IPNS name stands for, checked. @throws ServiceError, RecordError */
  resolveName(name: string, signal: AbortSignal): Promise<NameRecord>;
  /** The newest record that anybody who can be asked knows now; undefined when there is none. */
  newestName(name: string, signal: AbortSignal): Promise<NameRecord | undefined>;
  close(): void;
}

/** Routers that the configuration names. */
export function nameRouters({ libp2p }: Pick<Peer, 'libp2p'>, routing: RoutingConfig): NameRouter[] {
  const routers: NameRouter[] = routing.delegated.map((url) => new DelegatedNames(url));
  if (routing.dht !== 'off') routers.push(new DhtNames(libp2p));
  return routers;
}

/** @throws StoreError */
export function openConsumerServices(init: ConsumerServicesInit): ConsumerServices {
  const { peer, dataDir, routing } = init;
  const { libp2p, bitswap } = peer;
  const limits = SERVICES_LIMITS;
  const path = dataDir === undefined ? ':memory:' : join(dataDir, init.namesFile ?? 'names.sqlite');
  const store = new NameStore(openDatabase(path), limits.namesMax);
  const sources = [new PeersSource(libp2p, routing.bootstrap, limits), ...nameRouters(peer, routing)];
  const resolver = new NameResolver(store, sources, limits);
  const dnslink = openDnsLink(init.dnslink);
  const runner = new RemoteRunner({
    libp2p,
    resolver,
    keys: dataDir === undefined ? undefined : new ServiceKeys(dataDir),
    dnslink,
    getBlock: (cid, options) => bitswap.get(cid, options),
    connect: init.connect,
    limits,
  });
  return {
    runner,
    dnslink,
    resolveName: async (name, signal) => (await resolver.resolve(name, signal)).record,
    newestName: async (name, signal) => (await resolver.newest(name, signal))?.record,
    close() {
      runner.close();
      store.close();
    },
  };
}

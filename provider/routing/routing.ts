import type { Libp2p, PeerId } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import { multiaddr } from '@multiformats/multiaddr';
import type { Libp2pOptions } from 'libp2p';
import type { Blockstore } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';
import type { ContentRouter } from '../bitswap/index.ts';
import { addressFilter, exceptNamed } from './addresses.ts';
import { Announcer } from './announcer.ts';
import { BoundedDatastore } from './bounded-datastore.ts';
import { Contacts } from './contacts.ts';
import { DelegatedRouter } from './delegated.ts';
import { DhtRouter } from './dht-router.ts';
import { ROUTING_LIMITS, type RoutingLimits } from './limits.ts';
import { PeerExchange } from './peer-exchange.ts';
import { Routers } from './routers.ts';

/** The [routing] table of workswap.toml. */
export interface RoutingConfig {
  dht: 'off' | 'client' | 'server';
  delegated: string[];
  bootstrap: string[];
  mdns: boolean;
  peerExchange: boolean;
  provide: 'nothing' | 'roots' | 'all';
  privateAddresses: boolean;
}

export interface RoutingInit {
  limits?: Partial<RoutingLimits>;
  /** For tests: the port that mDNS uses instead of 5353. */
  mdnsPort?: number;
}

/** The parts of a libp2p host that routing brings; nothing when all of it is off. */
export type NodeParts = Pick<Libp2pOptions, 'services' | 'connectionGater' | 'datastore'>;

/** Finds who has content, tells who we are, once the host runs. */
export interface Routing {
  /** For Bitswap; undefined when no router is configured. */
  readonly router: ContentRouter | undefined;
  /** Announces that we have a block, or serve what it stands for, as far as the configuration allows. */
  provide(cid: CID): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Routing in two steps, because a libp2p host is made of its parts: first the parts, then, around the host and what it
 * holds, the routing itself.
 */
export async function prepareRouting(
  config: RoutingConfig,
  self: PeerId,
  init: RoutingInit = {},
): Promise<{ parts: NodeParts; attach: (libp2p: Libp2p, blockstore: Blockstore) => Routing }> {
  const limits = { ...ROUTING_LIMITS, ...init.limits };
  const contacts = config.bootstrap.map((text) => multiaddr(text));
  const filter = exceptNamed(addressFilter(config), contacts);
  return {
    parts: await nodeParts(config, self, init, limits, filter),
    attach(libp2p, blockstore) {
      const log = libp2p.logger.forComponent('workswap:routing');
      const { dht } = libp2p.services as { dht?: KadDHT };
      const dhtRouter = dht === undefined ? undefined : new DhtRouter(dht);
      const routers: ContentRouter[] = config.delegated.map((url) => new DelegatedRouter(url, limits));
      if (dhtRouter !== undefined) routers.push(dhtRouter);
      const exchange = config.peerExchange ? new PeerExchange(libp2p, addressFilter(config), log) : undefined;
      const keeper = new Contacts(libp2p, contacts, log);
      const announcer =
        dhtRouter === undefined || config.provide === 'nothing'
          ? undefined
          : new Announcer({
              provide: (cid, options) => dhtRouter.provide(cid, options),
              ...(config.provide === 'all' ? { held: () => cidsOf(blockstore) } : {}),
              limits,
              log,
            });
      return {
        router: routers.length === 0 ? undefined : new Routers(routers, filter, limits, log),
        provide: (cid) => void announcer?.announce(cid),
        async start() {
          await exchange?.start();
          keeper.start();
          announcer?.start();
        },
        async stop() {
          await exchange?.stop();
          keeper.stop();
          announcer?.stop();
        },
      };
    },
  };
}

/** Loads only what is used: the DHT adds about a tenth to the time that a start takes. */
async function nodeParts(
  config: RoutingConfig,
  self: PeerId,
  { mdnsPort }: RoutingInit,
  limits: RoutingLimits,
  filter: ReturnType<typeof addressFilter>,
): Promise<NodeParts> {
  const services: NonNullable<NodeParts['services']> = {};
  if (config.dht !== 'off') {
    const { dhtService } = await import('./dht.ts');
    services['dht'] = dhtService(config.dht, filter, limits) as never;
  }
  if (config.mdns) {
    const { mdnsService } = await import('./neighbours.ts');
    services['mdns'] = mdnsService(mdnsPort === undefined ? {} : { port: mdnsPort }) as never;
  }
  if (Object.keys(services).length === 0 && config.delegated.length === 0 && !config.peerExchange) return {};
  // The key under which libp2p's peer store keeps what it knows about us.
  const own = `/peers/${self.toCID().toString()}`;
  return {
    services,
    connectionGater: { filterMultiaddrForPeer: (peer, address) => filter(address, peer) },
    datastore: new BoundedDatastore({ bytesMax: limits.peersBytesMax, keep: (key) => key === own }),
  };
}

async function* cidsOf(blockstore: Blockstore): AsyncGenerator<CID> {
  for await (const { cid } of blockstore.getAll()) yield cid;
}

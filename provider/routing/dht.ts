import { peerRoutingSymbol, type PeerInfo, type PeerRouting } from '@libp2p/interface';
import { kadDHT, type KadDHT, type KadDHTComponents } from '@libp2p/kad-dht';
import { ipnsSelector } from 'ipns/selector';
import { ipnsValidator } from 'ipns/validator';
import type { AddressFilter } from './addresses.ts';
import { BoundedDatastore } from './bounded-datastore.ts';
import type { RoutingLimits } from './limits.ts';

/** Providers that a DHT server keeps for one CID. It names at most twenty to whoever asks. */
const PROVIDERS_PER_CID_MAX = 64;

/**
 * The Kademlia DHT of IPFS as a service of a libp2p host. A server answers others and keeps their provider records; a
 * client only asks. Addresses that others name pass our filter before they are kept, told on, or dialled.
 */
export function dhtService(
  mode: 'client' | 'server',
  filter: AddressFilter,
  limits: RoutingLimits,
): (components: KadDHTComponents) => KadDHT {
  const filtered = (peer: PeerInfo): PeerInfo => ({
    ...peer,
    multiaddrs: peer.multiaddrs.filter((address) => filter(address, peer.id)),
  });
  return (components) => {
    const own = `/${components.peerId.toString()}`;
    const datastore = new BoundedDatastore({
      bytesMax: limits.dhtRecordsBytesMax,
      siblingsMax: PROVIDERS_PER_CID_MAX,
      keep: (key) => key.endsWith(own),
    });
    const dht = kadDHT({
      clientMode: mode === 'client',
      peerInfoMapper: filtered,
      validators: { ipns: ipnsValidator },
      selectors: { ipns: ipnsSelector },
    })(Object.create(components, { datastore: { value: datastore } }) as KadDHTComponents);
    // libp2p dials what this finds without asking the address filter of its peer store.
    const routing = (dht as KadDHT & { [peerRoutingSymbol]: PeerRouting })[peerRoutingSymbol];
    const filteredRouting: PeerRouting = {
      findPeer: async (id, options) => filtered(await routing.findPeer(id, options)),
      async *getClosestPeers(key, options) {
        for await (const peer of routing.getClosestPeers(key, options)) yield filtered(peer);
      },
    };
    Object.defineProperty(dht, peerRoutingSymbol, { value: filteredRouting });
    return dht;
  };
}

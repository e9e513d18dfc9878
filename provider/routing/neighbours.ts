import type { PeerId, PeerInfo } from '@libp2p/interface';
import type { ConnectionManager } from '@libp2p/interface-internal';
import { mdns, type MulticastDNSComponents } from '@libp2p/mdns';
import { addressFilter } from './addresses.ts';

const DIALS_MAX = 8;
const DIAL_TIMEOUT_MS = 5_000;

type Components = MulticastDNSComponents & { connectionManager: ConnectionManager; peerId: PeerId };

/**
 * Finds peers in the local network by multicast DNS and connects to them. They name private addresses by nature, which are
 * dialled at once and not kept, so that the filter for what strangers name can stay closed.
 */
export function mdnsService(
  init: { port?: number } = {},
): (components: Components) => ReturnType<ReturnType<typeof mdns>> {
  const isDialable = addressFilter({ privateAddresses: true });
  return (components) => {
    const service = mdns(init)(components);
    let dialling = 0;
    service.addEventListener('peer', ({ detail: { id, multiaddrs } }: CustomEvent<PeerInfo>) => {
      const addresses = multiaddrs.filter((address) => isDialable(address, id));
      // Who is left out now is heard again: announcements are repeated every few seconds.
      if (id.equals(components.peerId) || addresses.length === 0 || dialling >= DIALS_MAX) return;
      if (components.connectionManager.getConnections(id).length > 0) return;
      dialling++;
      components.connectionManager
        .openConnection(addresses, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
        .catch(() => {
          // It went, or lied about where it is.
        })
        .finally(() => dialling--);
    });
    return service;
  };
}

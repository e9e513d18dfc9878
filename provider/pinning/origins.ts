import type { Libp2p, PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { addressFilter } from '../routing/index.ts';

const DIAL_TIMEOUT_MS = 10_000;

/** Peers that a pin's owner names, with the addresses that we may dial. */
export type Origins = Map<string, { peer: PeerId; addrs: Multiaddr[] }>;

/**
 * What of the origins can be used: with a peer id, and at an address that is not in our own network unless the
 * configuration allows it. The others are passed over: origins are hints, and every client names its local addresses too.
 */
export function usableOrigins(texts: readonly string[], options: { privateAddresses: boolean }): Origins {
  const isAllowed = addressFilter(options);
  const origins: Origins = new Map();
  for (const text of texts) {
    const address = parse(text);
    const id = address?.getComponents().findLast(({ name }) => name === 'p2p')?.value;
    const peer = id === undefined ? undefined : parsePeer(id);
    if (address === undefined || peer === undefined || id === undefined) continue;
    const origin = origins.get(id) ?? { peer, addrs: [] };
    origins.set(id, origin);
    if (isAllowed(address, peer)) origin.addrs.push(address);
  }
  return origins;
}

/** Connects to those that have an address and are not connected. What fails is nobody's error: others may have it. */
export async function dialOrigins(libp2p: Libp2p, origins: Origins, signal: AbortSignal): Promise<void> {
  await Promise.allSettled(
    [...origins.values()].map(async ({ peer, addrs }) => {
      if (addrs.length === 0 || peer.equals(libp2p.peerId) || libp2p.getConnections(peer).length > 0) return;
      await libp2p.dial(addrs, { signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]) });
    }),
  );
}

function parse(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text);
  } catch {
    return undefined;
  }
}

function parsePeer(id: string): PeerId | undefined {
  try {
    return peerIdFromString(id);
  } catch {
    return undefined;
  }
}

import type { Peer, PeerId, PeerStore } from '@libp2p/interface';

interface Merged {
  peer: Promise<Peer>;
  atMs: number;
}

/** The store also notes when it last heard of a peer, and forgets those of hours ago. */
const MERGE_AGAIN_MS = 60_000;

/**
 * libp2p merges the protocol of every stream into what is stored about its peer: read, decoded, encoded and written under a
 * lock, before the stream's handler is called. For a protocol that this connection has just had, there is nothing to merge.
 */
export function mergedOnce(store: PeerStore): void {
  const { merge } = store;
  /** By the object that a connection has for its peer. */
  let merged = new WeakMap<PeerId, Map<string, Merged>>();
  for (const name of ['save', 'patch', 'delete'] as const) {
    const change = store[name].bind(store) as (...args: unknown[]) => unknown;
    store[name] = ((...args: unknown[]) => {
      merged = new WeakMap();
      return change(...args);
    }) as never;
  }
  store.merge = (id, data, options) => {
    const [protocol] = data.protocols ?? [];
    const isOnlyOne = protocol !== undefined && data.protocols?.length === 1 && Object.keys(data).length === 1;
    if (!isOnlyOne) return merge.call(store, id, data, options);
    let known = merged.get(id);
    if (known === undefined) merged.set(id, (known = new Map()));
    const last = known.get(protocol);
    const atMs = performance.now();
    if (last !== undefined && atMs - last.atMs < MERGE_AGAIN_MS) return last.peer;
    const peer = merge.call(store, id, data, options);
    const now = { peer, atMs };
    known.set(protocol, now);
    peer.catch(() => {
      if (known.get(protocol) === now) known.delete(protocol);
    });
    return peer;
  };
}

import type { PeerId } from '@libp2p/interface';
import type { BitswapLimits } from '../constants.ts';
import type { Link } from '../net/network.ts';
import { PeerClient, type PeerClientEvents } from './peer-client.ts';

const UNCONNECTED_MAX = 1024;

/** The peers that we may ask: those that are connected and speak Bitswap, and those that somebody named. */
export class PeerBook {
  readonly #limits: BitswapLimits;
  readonly #link: (peer: PeerId) => Link;
  readonly #unlink: (peer: PeerId) => void;
  readonly #events: PeerClientEvents;
  readonly #peers = new Map<string, PeerClient>();
  readonly #connected = new Set<PeerClient>();

  constructor(
    limits: BitswapLimits,
    links: { get: (peer: PeerId) => Link; drop: (peer: PeerId) => void },
    events: PeerClientEvents,
  ) {
    this.#limits = limits;
    this.#link = links.get;
    this.#unlink = links.drop;
    this.#events = events;
  }

  find(key: string): PeerClient | undefined {
    return this.#peers.get(key);
  }

  get(id: PeerId): PeerClient {
    const known = this.#peers.get(id.toString());
    if (known !== undefined) return known;
    if (this.#peers.size - this.#connected.size >= UNCONNECTED_MAX) this.#prune();
    const peer = new PeerClient(this.#link(id), this.#limits, this.#events);
    this.#peers.set(peer.key, peer);
    return peer;
  }

  all(): Iterable<PeerClient> {
    return this.#peers.values();
  }

  /** Connected peers that speak Bitswap. */
  connected(): ReadonlySet<PeerClient> {
    return this.#connected;
  }

  /** A connected peer speaks Bitswap. False when we knew. */
  connect(id: PeerId): boolean {
    const peer = this.get(id);
    if (this.#connected.has(peer)) return false;
    peer.avoidUntilMs = 0;
    this.#connected.add(peer);
    return true;
  }

  /** Forgets peers that were named, never connected, and are not asked for anything. */
  #prune(): void {
    for (const peer of this.#peers.values()) {
      if (this.#connected.has(peer) || peer.asks.size > 0 || peer.probes.size > 0) continue;
      this.#peers.delete(peer.key);
      this.#unlink(peer.id);
    }
  }

  remove(id: PeerId): PeerClient | undefined {
    const peer = this.#peers.get(id.toString());
    if (peer === undefined) return undefined;
    this.#peers.delete(peer.key);
    this.#connected.delete(peer);
    return peer;
  }
}

import type { PeerId } from '@libp2p/interface';
import type { BitswapLimits } from '../constants.ts';
import type { Link } from '../net/network.ts';
import type { DecodedWant } from '../wire/decode.ts';
import { SendBudget } from './budget.ts';
import { PeerServer, type PeerServerEvents } from './peer-server.ts';
import type { PeerWant } from './peer-wants.ts';
import { byPriority, type ServerContext, type Task, type TaskComparator } from './types.ts';

export interface ServerStats {
  blocksSent: number;
  bytesSent: number;
}

export type EngineInit = Omit<ServerContext, 'budget' | 'before' | 'onSent'> & {
  taskComparator: TaskComparator | undefined;
};

/**
 * The serving half of Bitswap: one PeerServer for each peer that wants something, an index of the wants that wait for a
 * block, and one budget of memory that they share. Who owes us less goes first when that budget is short.
 */
export class Engine {
  readonly stats: ServerStats = { blocksSent: 0, bytesSent: 0 };
  readonly #context: ServerContext;
  readonly #limits: BitswapLimits;
  readonly #servers = new Map<string, PeerServer>();
  /** Wants for blocks that we do not have, by the key of the block. */
  readonly #missing = new Map<string, Map<PeerWant, PeerServer>>();
  readonly #events: PeerServerEvents;
  #wants = 0;
  #arrivals = 0;

  constructor(init: EngineInit) {
    const { taskComparator, ...context } = init;
    this.#limits = init.limits;
    const merit = (a: Task, b: Task): boolean => this.#burden(a.peer) < this.#burden(b.peer);
    this.#context = {
      ...context,
      before: taskComparator ?? byPriority,
      budget: new SendBudget(init.limits.outstandingTotalBytes, taskComparator ?? merit),
      onSent: (blocks, bytes) => {
        this.stats.blocksSent += blocks;
        this.stats.bytesSent += bytes;
      },
    };
    this.#events = {
      mayAdd: () => this.#mayAdd(),
      onAdded: () => void this.#wants++,
      onGone: this.#onGone,
      onMissing: this.#onMissing,
      arrivals: () => this.#arrivals,
    };
  }

  get outstandingBytes(): number {
    return this.#context.budget.usedBytes;
  }

  get wants(): number {
    return this.#wants;
  }

  get peers(): number {
    return this.#servers.size;
  }

  wantlistOf(peer: PeerId): PeerWant[] {
    return [...(this.#servers.get(peer.toString())?.wants.all() ?? [])];
  }

  beginWantlist(link: Link, full: boolean): void {
    if (full) this.#clear(link.key);
  }

  /** Applies one entry of a peer's wantlist. Returns false when it is not a valid entry. */
  want(link: Link, entry: DecodedWant): boolean {
    let server = this.#servers.get(link.key);
    if (server === undefined) {
      if (entry.cancel) return true;
      server = new PeerServer(link, this.#context, this.#events);
      this.#servers.set(link.key, server);
    }
    return server.want(entry);
  }

  /** When all peers together want too much, whoever wants most gives way, as far as he wants what we cannot serve. */
  #mayAdd(): boolean {
    if (this.#wants < this.#limits.wantsTotalMax) return true;
    let greediest: PeerServer | undefined;
    for (const server of this.#servers.values()) {
      if (server.wants.size > (greediest?.wants.size ?? 0)) greediest = server;
    }
    return greediest?.wants.evict() ?? false;
  }

  /** A block is in the store now: whoever waits for it is served. */
  arrived(blockKey: string, size: number): void {
    this.#arrivals++;
    const waiting = this.#missing.get(blockKey);
    if (waiting === undefined) return;
    this.#missing.delete(blockKey);
    for (const [want, server] of waiting) server.arrived(want, size);
  }

  credited(link: Link): void {
    this.#servers.get(link.key)?.credited();
  }

  peerGone(peer: PeerId): void {
    const key = peer.toString();
    this.#servers.get(key)?.close(new Error('The peer disconnected'));
    this.#servers.delete(key);
  }

  stop(): void {
    for (const server of this.#servers.values()) server.close(new Error('Bitswap is stopping'));
    this.#servers.clear();
  }

  #clear(key: string): void {
    this.#servers.get(key)?.wants.clear();
  }

  /** Peers in the soft zone come after those with free credit; among equals, who owes less in proportion comes first. */
  #burden(peer: PeerId): number {
    const { ledger } = this.#context;
    const ratio = ledger.getReceipt(peer)?.value ?? 0;
    return (ledger.zone?.(peer) ?? 'free') === 'free' ? ratio : ratio + Number.MAX_SAFE_INTEGER;
  }

  readonly #onMissing = (server: PeerServer, want: PeerWant): void => {
    const waiting = this.#missing.get(want.multihashKey);
    if (waiting === undefined) this.#missing.set(want.multihashKey, new Map([[want, server]]));
    else waiting.set(want, server);
  };

  readonly #onGone = (want: PeerWant): void => {
    this.#wants--;
    const waiting = this.#missing.get(want.multihashKey);
    if (waiting === undefined) return;
    waiting.delete(want);
    if (waiting.size === 0) this.#missing.delete(want.multihashKey);
  };
}

import type { ComponentLogger, Libp2p, PeerId } from '@libp2p/interface';
import type { Blockstore } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';
import type { ScoreLedger } from '../ledger/types.ts';
import { type LocalBlocks, localBlocks } from './blocks.ts';
import { isIdentity } from './cid.ts';
import { Fetcher } from './client/fetcher.ts';
import { type ContentRouter, ProviderSearch } from './client/provider-search.ts';
import { FetchSession, type Session } from './client/session.ts';
import type { Want } from './client/want.ts';
import { BITSWAP_PROTOCOLS, type BitswapLimits, DEFAULT_LIMITS } from './constants.ts';
import { BitswapStoppedError, UnsupportedHashError } from './errors.ts';
import { blockKey, type Hasher, Hashers } from '../store/index.ts';
import { Network } from './net/network.ts';
import { Receiver, type ReceiveStats } from './receiver.ts';
import { Engine, type ServerStats } from './server/engine.ts';
import type { PeerBlockRequestFilter, TaskComparator } from './server/types.ts';

export interface BitswapComponents {
  libp2p: Libp2p;
  /** The local store; never one that falls back to Bitswap. */
  blockstore: Blockstore;
  scoreLedger: ScoreLedger;
  logger?: ComponentLogger;
}

export interface BitswapInit {
  limits?: Partial<BitswapLimits>;
  /** Says whether a peer may have a block; what it may not have is answered like a missing block. */
  peerBlockRequestFilter?: PeerBlockRequestFilter;
  /** Says that one want is to be served before another; the default is by priority, and under contention by debt. */
  taskComparator?: TaskComparator;
  /** Where providers come from when no connected peer has a block. */
  router?: ContentRouter;
  /** Hash functions that node:crypto does not have, by multihash code. */
  hashers?: ReadonlyMap<number, Hasher>;
  /** Best first. For tests with old peers. */
  protocols?: readonly string[];
}

export interface GetOptions {
  signal?: AbortSignal;
  /** Asked first; dialled when they are not connected. */
  peers?: PeerId[];
  session?: Session;
}

export interface WantlistEntry {
  cid: CID;
  priority: number;
  wantHave: boolean;
}

export interface BitswapStats extends ReceiveStats, ServerStats {
  /** Blocks that we wait for. */
  wants: number;
  /** Peers that want something from us, and what all of them want together. */
  peersServed: number;
  peerWants: number;
  /** Bytes of blocks in memory on their way to peers. */
  outstandingBytes: number;
}

export interface Bitswap {
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * The block: from the store, else from the given peers, then from connected peers, then from peers that the router
   * finds. Verified, and in the store before it resolves. Waits until the signal says stop, or `getTimeoutMs`.
   * @throws BlockUnavailableError, UnsupportedHashError, or the signal's reason
   */
  get(cid: CID, options?: GetOptions): Promise<Uint8Array>;
  /** For blocks that belong together, such as those of one file. */
  createSession(options?: { peers?: PeerId[] }): Session;
  /** Tells that a block was put into the store by somebody else: peers that wait for it are served. */
  notify(cid: CID, bytes: Uint8Array): void;
  /** The same by the block's `blockKey`, for whoever has no CID. */
  notifyKey(key: string, bytes: Uint8Array): void;
  /** What a peer wants from us now. */
  wantlistOf(peer: PeerId): WantlistEntry[];
  /** Whether this peer is asked to send a block, and has not answered yet. */
  awaits(peer: PeerId): boolean;
  /** What we wait for. */
  wantlist(): CID[];
  readonly stats: BitswapStats;
}

export function createBitswap(components: BitswapComponents, init: BitswapInit = {}): Bitswap {
  return new WorkswapBitswap(components, init);
}

const SESSIONS_MAX = 64;

class WorkswapBitswap implements Bitswap {
  readonly #components: BitswapComponents;
  readonly #hashers: Hashers;
  readonly #local: LocalBlocks;
  readonly #network: Network;
  readonly #engine: Engine;
  readonly #fetcher: Fetcher;
  readonly #receiver: Receiver;
  readonly #search: ProviderSearch | undefined;
  readonly #everybody: FetchSession;
  /** Sessions of callers that name peers instead of keeping a session, latest last. */
  readonly #sessions = new Map<string, FetchSession>();
  #running = false;

  constructor(components: BitswapComponents, init: BitswapInit) {
    const { libp2p, blockstore, scoreLedger, logger } = components;
    const limits = { ...DEFAULT_LIMITS, ...init.limits };
    const log = logger?.forComponent('workswap:bitswap');
    this.#components = components;
    this.#hashers = new Hashers(init.hashers);
    this.#local = localBlocks(blockstore);
    this.#search = init.router === undefined ? undefined : new ProviderSearch(libp2p, init.router, limits, log);
    this.#network = new Network({
      libp2p,
      limits,
      protocols: [...(init.protocols ?? BITSWAP_PROTOCOLS)],
      log,
      handlers: {
        onMessage: (link, frame, owned) => this.#receiver.receive(link, frame, owned),
        onPeer: (peer) => this.#fetcher.peerFound(peer),
        onConnected: (peer) => scoreLedger.peerConnected(peer),
        onPeerGone: (peer) => {
          scoreLedger.peerDisconnected(peer);
          this.#engine.peerGone(peer);
          this.#fetcher.peerGone(peer);
        },
        onControlLost: (link) => this.#fetcher.peers.find(link.key)?.repeat(),
      },
    });
    this.#engine = new Engine({
      ledger: scoreLedger,
      blocks: this.#local,
      limits,
      filter: init.peerBlockRequestFilter,
      taskComparator: init.taskComparator,
      log,
    });
    this.#fetcher = new Fetcher({
      limits,
      links: { get: (peer) => this.#network.link(peer), drop: (peer) => this.#network.forget(peer) },
      get: (cid, session, signal) => this.#get(cid, session, signal),
      fetch: (cid, session, signal) => this.#fetch(cid, session, signal),
      store: (want, bytes, isNeeded) => this.#store(want, bytes, isNeeded),
      search: (session, parked) => this.#search?.start(session, parked),
      log,
    });
    this.#everybody = this.#fetcher.createSession([]);
    this.#receiver = new Receiver({
      limits,
      hashers: this.#hashers,
      ledger: scoreLedger,
      engine: this.#engine,
      fetcher: this.#fetcher,
    });
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#network.start();
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#search?.stop();
    this.#fetcher.stop();
    await this.#network.stop();
    this.#engine.stop();
  }

  get(cid: CID, { signal, peers, session }: GetOptions = {}): Promise<Uint8Array> {
    return this.#get(cid, this.#sessionFor(session, peers), signal);
  }

  createSession(options: { peers?: PeerId[] } = {}): Session {
    return this.#fetcher.createSession(options.peers ?? []);
  }

  notify(cid: CID, bytes: Uint8Array): void {
    this.notifyKey(blockKey(cid), bytes);
  }

  notifyKey(key: string, bytes: Uint8Array): void {
    this.#fetcher.found(key, bytes);
    this.#engine.arrived(key, bytes.length);
  }

  wantlistOf(peer: PeerId): WantlistEntry[] {
    return this.#engine.wantlistOf(peer).map(({ cid, priority, wantHave }) => ({ cid, priority, wantHave }));
  }

  awaits(peer: PeerId): boolean {
    return (this.#fetcher.peers.find(peer.toString())?.asks.size ?? 0) > 0;
  }

  wantlist(): CID[] {
    return [...this.#fetcher.wants.values()].map(({ cid }) => cid);
  }

  get stats(): BitswapStats {
    return {
      ...this.#receiver.stats,
      ...this.#engine.stats,
      wants: this.#fetcher.wants.size,
      peersServed: this.#engine.peers,
      peerWants: this.#engine.wants,
      outstandingBytes: this.#engine.outstandingBytes,
    };
  }

  async #get(cid: CID, session: FetchSession, signal: AbortSignal | undefined): Promise<Uint8Array> {
    signal?.throwIfAborted();
    if (isIdentity(cid)) return cid.multihash.digest;
    const local = await this.#local.read(cid);
    if (local !== undefined) return local;
    this.#checkWantable(cid);
    const { bytes } = await this.#fetcher.want(cid, session, { signal, needsBytes: true });
    // Others fetched it at the same time who did not need its bytes: they are in the store.
    return bytes ?? this.#get(cid, session, signal);
  }

  async #fetch(cid: CID, session: FetchSession, signal: AbortSignal | undefined): Promise<number> {
    signal?.throwIfAborted();
    if (isIdentity(cid)) return cid.multihash.digest.length;
    const size = await this.#local.size(cid);
    if (size !== undefined) return size;
    this.#checkWantable(cid);
    const block = await this.#fetcher.want(cid, session, { signal, needsBytes: false });
    return block.size;
  }

  #checkWantable({ multihash: { code, digest } }: CID): void {
    if (!this.#running) throw new BitswapStoppedError();
    if (!this.#hashers.supports(code, digest.length)) throw new UnsupportedHashError(code, digest.length);
  }

  #sessionFor(session: Session | undefined, peers: PeerId[] = []): FetchSession {
    if (session instanceof FetchSession) {
      for (const peer of peers) session.addPeer(peer);
      return session;
    }
    if (peers.length === 0) return this.#everybody;
    // Callers that name the same peers again and again share what was learnt about them.
    const key = peers.map(String).sort().join(' ');
    const known = this.#sessions.get(key) ?? this.#fetcher.createSession(peers);
    this.#sessions.delete(key);
    this.#sessions.set(key, known);
    if (this.#sessions.size > SESSIONS_MAX) this.#sessions.delete(this.#sessions.keys().next().value as string);
    return known;
  }

  #store({ cid, key }: Want, bytes: Uint8Array, isNeeded: boolean): Promise<void> | undefined {
    const size = bytes.length;
    const stored = isNeeded ? this.#components.blockstore.put(cid, bytes) : this.#local.take(cid, bytes);
    if (!(stored instanceof Promise)) {
      this.#engine.arrived(key, size);
      return undefined;
    }
    return stored.then(() => this.#engine.arrived(key, size));
  }
}

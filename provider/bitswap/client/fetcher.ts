import type { Logger, PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { StoreError, blockKey } from '../../store/index.ts';
import type { BitswapLimits } from '../constants.ts';
import { BitswapStoppedError, BlockUnavailableError } from '../errors.ts';
import type { Link } from '../net/network.ts';
import { Asker, type AskerInit } from './asker.ts';
import { Patience } from './patience.ts';
import { PeerBook } from './peer-book.ts';
import type { PeerClient } from './peer-client.ts';
import { FetchSession } from './session.ts';
import { untilGivenUp } from './waiting.ts';
import { createWant, type Delivered, type Waiter, type Want } from './want.ts';

export interface FetcherInit {
  limits: BitswapLimits;
  links: { get: (peer: PeerId) => Link; drop: (peer: PeerId) => void };
  /** The whole of get(): store first, then `want` below. */
  get: (cid: CID, session: FetchSession, signal: AbortSignal | undefined) => Promise<Uint8Array>;
  /** Likewise of fetch(). */
  fetch: (cid: CID, session: FetchSession, signal: AbortSignal | undefined) => Promise<number>;
  /** Puts a verified block into the store, together with its buffer when nobody needs the bytes, and tells peers. */
  store: (want: Want, bytes: Uint8Array, isNeeded: boolean) => Promise<void> | undefined;
  /** Nobody we know delivers to this session: look for others, until `parked` gives no want any more. */
  search: AskerInit['search'];
  log: Logger | undefined;
}

const TICK_MS = 250;
/** A peer to which no stream can be opened is left alone for so long. */
const UNREACHABLE_MS = 10_000;

/**
 * The asking half of Bitswap: every want of this node, and who is asked for it. A want goes from its session's queue to
 * one peer at a time; when that peer says no, stalls or goes, to the next one; when nobody is left it is parked until a
 * peer connects, says HAVE, or the router finds one.
 */
export class Fetcher {
  readonly peers: PeerBook;
  readonly #init: FetcherInit;
  readonly #asker: Asker;
  readonly #patience: Patience;
  readonly #wants = new Map<string, Want>();
  readonly #sessions = new Set<FetchSession>();
  #scheduled = false;
  #tick: ReturnType<typeof setInterval> | undefined;
  #stopped = false;

  constructor(init: FetcherInit) {
    this.#init = init;
    this.peers = new PeerBook(init.limits, init.links, {
      onUnreachable: (peer, error) => this.#onUnreachable(peer, error),
      onUnanswerable: (peer, key) => this.presence(peer, key, true),
    });
    this.#asker = new Asker({
      peers: this.peers,
      wants: this.#wants,
      schedule: () => this.#schedule(),
      search: init.search,
    });
    this.#patience = new Patience(init.limits, this.peers, {
      moveOn: (want, from, now) => this.#asker.moveOn(want, from, now),
      readSilence: (want, from, now) => this.#asker.silence(want, from, now),
      search: (want) => init.search(want.owner, () => (this.#wants.get(want.key) === want ? want : undefined)),
      unpark: (want) => this.#asker.enqueue(want),
    });
  }

  get wants(): ReadonlyMap<string, Want> {
    return this.#wants;
  }

  createSession(peers: readonly PeerId[]): FetchSession {
    return new FetchSession(this, peers);
  }

  get(cid: CID, session: FetchSession, signal: AbortSignal | undefined): Promise<Uint8Array> {
    return this.#init.get(cid, session, signal);
  }

  fetch(cid: CID, session: FetchSession, signal: AbortSignal | undefined): Promise<number> {
    return this.#init.fetch(cid, session, signal);
  }

  /** Waits for a block that is not in the store. */
  want(
    cid: CID,
    session: FetchSession,
    { signal, needsBytes }: { signal: AbortSignal | undefined; needsBytes: boolean },
  ): Promise<Delivered> {
    if (this.#stopped || session.closed) return Promise.reject(new BitswapStoppedError());
    const { promise, resolve, reject } = Promise.withResolvers<Delivered>();
    const waiter: Waiter = { session, needsBytes, resolve, reject };
    const want = this.#join(cid, waiter);
    const giveUp = (reason: Error): void => {
      if (!want.waiters.has(waiter)) return;
      reject(reason);
      this.#leave(want, waiter);
    };
    const { getTimeoutMs } = this.#init.limits;
    return untilGivenUp(promise, giveUp, signal, {
      timeoutMs: getTimeoutMs,
      error: () => new BlockUnavailableError(cid, `nobody delivered it within ${getTimeoutMs} ms`),
    });
  }

  /** A connected peer speaks Bitswap: it may have what we look for. */
  peerFound(id: PeerId): void {
    if (!this.peers.connect(id)) return;
    for (const want of this.#wants.values()) {
      if (want.state !== 'parked') continue;
      want.tried.delete(id.toString());
      this.#asker.enqueue(want);
    }
  }

  /** A session has learnt of a peer. */
  peerJoined(session: FetchSession, id: PeerId): void {
    for (const want of this.#wants.values()) {
      if (want.state === 'parked' && want.owner === session && !want.tried.has(id.toString()))
        this.#asker.enqueue(want);
    }
  }

  peerGone(id: PeerId): void {
    const peer = this.peers.remove(id);
    if (peer !== undefined) this.#asker.drop(peer);
  }

  /** A peer says whether it has a block. */
  presence(peer: PeerClient, key: string, have: boolean): void {
    const want = this.#wants.get(key);
    if (want === undefined || want.state === 'storing' || !want.told.has(peer)) return;
    if (have) this.#asker.have(want, peer);
    else this.#asker.dontHave(want, peer);
    this.#schedule();
  }

  /** A verified block that we want. Cancels it everywhere else, stores it, and hands it to all who wait. */
  accept(want: Want, bytes: Uint8Array, from: PeerClient): void {
    want.owner.prove(from);
    want.told.delete(from);
    this.#asker.settle(want);
    const size = bytes.length;
    const isNeeded = [...want.waiters].some(({ needsBytes }) => needsBytes);
    const finish = (error?: unknown): void => {
      this.#wants.delete(want.key);
      for (const { resolve, reject } of want.waiters) {
        if (error === undefined) resolve({ size, bytes: isNeeded ? bytes : undefined });
        else reject(storeError(want.cid, error));
      }
      want.waiters.clear();
    };
    try {
      const stored = this.#init.store(want, bytes, isNeeded);
      if (stored === undefined) finish();
      else stored.then(() => finish(), finish);
    } catch (error) {
      finish(error);
    }
  }

  /** The block came into the store by another way. */
  found(key: string, bytes: Uint8Array): void {
    const want = this.#wants.get(key);
    if (want === undefined || want.state === 'storing') return;
    this.#wants.delete(key);
    this.#asker.settle(want);
    for (const { resolve } of want.waiters) resolve({ size: bytes.length, bytes });
    want.waiters.clear();
  }

  closeSession(session: FetchSession): void {
    for (const want of this.#wants.values()) {
      for (const waiter of want.waiters) {
        if (waiter.session !== session) continue;
        waiter.reject(new BlockUnavailableError(want.cid, 'its session was closed'));
        this.#leave(want, waiter);
      }
    }
    this.#sessions.delete(session);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#tick);
    for (const { waiters } of this.#wants.values()) {
      for (const { reject } of waiters) reject(new BitswapStoppedError());
    }
    this.#wants.clear();
    this.#sessions.clear();
  }

  #join(cid: CID, waiter: Waiter): Want {
    const key = blockKey(cid);
    const { session } = waiter;
    let want = this.#wants.get(key);
    if (want === undefined) {
      want = createWant(key, cid, session);
      this.#wants.set(key, want);
      this.#sessions.add(session);
      this.#asker.enqueue(want);
      this.#tick ??= this.#startTick();
    } else if (want.owner !== session && want.state !== 'storing') {
      // The peers of the second session are asked when those of the first one have it not.
      for (const peer of session.trustedPeers()) {
        if (!want.tried.has(peer.key) && want.asked !== peer) want.holders.add(peer);
      }
      this.#asker.next(want, performance.now());
    }
    want.waiters.add(waiter);
    return want;
  }

  #leave(want: Want, waiter: Waiter): void {
    want.waiters.delete(waiter);
    if (want.state === 'storing') return;
    const [heir] = want.waiters;
    if (heir === undefined) {
      this.#wants.delete(want.key);
      this.#asker.settle(want);
      return;
    }
    for (const { session } of want.waiters) if (session === want.owner) return;
    this.#asker.endProbing(want);
    want.owner = heir.session;
    this.#sessions.add(heir.session);
    if (want.state === 'pending' || want.state === 'parked') this.#asker.enqueue(want);
  }

  #onUnreachable(peer: PeerClient, error: unknown): void {
    this.#init.log?.('cannot ask %p for blocks - %e', peer.id, error);
    peer.avoidUntilMs = performance.now() + UNREACHABLE_MS;
    this.#asker.drop(peer);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const now = performance.now();
      for (const session of this.#sessions) session.schedule(now, this.#asker);
    });
  }

  #startTick(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      if (this.#wants.size > 0) {
        this.#patience.check(this.#wants.values(), performance.now());
        this.#schedule();
        return;
      }
      clearInterval(this.#tick);
      this.#tick = undefined;
      this.#sessions.clear();
    }, TICK_MS);
    timer.unref();
    return timer;
  }
}

/** A full disk is nobody's fault but ours, and the peer that delivered must not be told that it did not. */
function storeError(cid: CID, error: unknown): Error {
  if (error instanceof StoreError) return error;
  return new BlockUnavailableError(cid, 'it came but could not be stored', error);
}

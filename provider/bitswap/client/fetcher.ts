import type { Logger, PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { multihashKey } from '../cid.ts';
import type { BitswapLimits } from '../constants.ts';
import { BitswapStoppedError, BlockUnavailableError } from '../errors.ts';
import type { Link } from '../net/network.ts';
import { PeerClient } from './peer-client.ts';
import { FetchSession } from './session.ts';
import { createWant, TRIES_MAX, type Waiter, type Want } from './want.ts';

export interface FetcherInit {
  limits: BitswapLimits;
  link: (peer: PeerId) => Link;
  /** The whole of get(): store first, then `want` below. */
  get: (cid: CID, session: FetchSession, signal: AbortSignal | undefined) => Promise<Uint8Array>;
  /** Puts a verified block into the store and tells whoever waits for it. */
  store: (cid: CID, key: string, bytes: Uint8Array) => Promise<void> | undefined;
  /** Nobody we know has this block: look for others. Called once for each session until it says that it is done. */
  search: (session: FetchSession, cid: CID, parked: () => Want | undefined) => void;
  log: Logger | undefined;
}

const TICK_MS = 250;
const AVOID_MS = 30_000;
const UNREACHABLE_MS = 10_000;
const PROBES_PER_WANT_MAX = 256;

/**
 * The asking half of Bitswap: every want of this node, and who is asked for it. A want goes from its session's queue to
 * one peer at a time; when that peer says no, stalls or goes, to the next one; when nobody is left it is parked until a
 * peer connects, says HAVE, or the router finds one.
 */
export class Fetcher {
  readonly #init: FetcherInit;
  readonly #wants = new Map<string, Want>();
  readonly #peers = new Map<string, PeerClient>();
  /** Connected peers that speak Bitswap. */
  readonly #connected = new Set<PeerClient>();
  readonly #sessions = new Set<FetchSession>();
  readonly #parked = new Set<Want>();
  #scheduled = false;
  #tick: ReturnType<typeof setInterval> | undefined;
  #stopped = false;

  constructor(init: FetcherInit) {
    this.#init = init;
  }

  get wants(): ReadonlyMap<string, Want> {
    return this.#wants;
  }

  peer(key: string): PeerClient | undefined {
    return this.#peers.get(key);
  }

  createSession(peers: readonly PeerId[]): FetchSession {
    return new FetchSession(this, peers);
  }

  get(cid: CID, session: FetchSession, signal: AbortSignal | undefined): Promise<Uint8Array> {
    return this.#init.get(cid, session, signal);
  }

  createPeer(id: PeerId): PeerClient {
    const peer = new PeerClient(this.#init.link(id), this.#init.limits, {
      onUnreachable: (peer, error) => this.#onUnreachable(peer, error),
      onUnanswerable: (peer, key) => this.#onUnanswerable(peer, key),
    });
    this.#peers.set(peer.key, peer);
    return peer;
  }

  /** Waits for a block that is not in the store. */
  want(cid: CID, session: FetchSession, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (this.#stopped || session.closed) return Promise.reject(new BitswapStoppedError());
    const key = multihashKey(cid);
    let want = this.#wants.get(key);
    const isNew = want === undefined;
    want ??= createWant(key, cid, session);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const waiter = { session, resolve, reject };
    want.waiters.add(waiter);
    if (isNew) {
      this.#wants.set(key, want);
      this.#sessions.add(session);
      session.enqueue(want);
      this.#schedule();
      this.#tick ??= this.#startTick();
    } else if (want.owner !== session && want.state !== 'storing') {
      this.#join(want, session);
    }
    return this.#untilAborted(promise, want, waiter, signal);
  }

  /** Another session wants the same block: its peers are asked when those of the first one have it not. */
  #join(want: Want, session: FetchSession): void {
    for (const peer of session.trustedPeers()) {
      if (!want.tried.has(peer.key) && want.asked !== peer) want.holders.add(peer);
    }
    if (want.state === 'parked') this.#next(want, performance.now());
  }

  /** A connected peer speaks Bitswap: it may have what we look for. */
  peerFound(id: PeerId): void {
    const key = id.toString();
    const known = this.#peers.get(key);
    if (known !== undefined && this.#connected.has(known)) return;
    const peer = known ?? this.createPeer(id);
    peer.avoidUntilMs = 0;
    this.#connected.add(peer);
    for (const want of this.#parked) {
      want.tried.delete(key);
      this.#unpark(want);
    }
    this.#schedule();
  }

  peerJoined(session: FetchSession, id: PeerId): void {
    const key = id.toString();
    for (const want of this.#parked) {
      if (want.owner === session && !want.tried.has(key)) this.#unpark(want);
    }
    this.#schedule();
  }

  peerGone(id: PeerId): void {
    const peer = this.#peers.get(id.toString());
    if (peer === undefined) return;
    this.#peers.delete(peer.key);
    this.#connected.delete(peer);
    this.#drop(peer);
  }

  askBlock(want: Want, peer: PeerClient, now: number): void {
    want.state = 'asked';
    want.asked = peer;
    want.askedMs = now;
    want.holders.delete(peer);
    want.probed.delete(peer);
    peer.probes.delete(want.key);
    peer.ask(want, 'block', now);
  }

  /**
   * Asks peers that the session does not know yet: the most promising one for the block, the others whether they have
   * it. False when they are all busy.
   */
  probe(want: Want, now: number): boolean {
    let best: PeerClient | undefined;
    let busy = false;
    const others: PeerClient[] = [];
    for (const peer of this.#connected) {
      if (want.tried.has(peer.key) || want.probed.has(peer) || peer.avoidUntilMs > now) continue;
      if (!peer.hasRoom) busy = true;
      else if (best === undefined || peer.expectedMs < best.expectedMs) {
        if (best !== undefined) others.push(best);
        best = peer;
      } else others.push(peer);
    }
    if (best === undefined) {
      if (busy) return false;
      this.#park(want);
      return true;
    }
    if (!want.probing) {
      want.probing = true;
      want.owner.probing++;
    }
    this.askBlock(want, best, now);
    for (const peer of others.slice(0, PROBES_PER_WANT_MAX)) {
      if (!peer.answersPresence) want.holders.add(peer);
      else if (peer.mayProbe) {
        want.probed.set(peer, now);
        peer.ask(want, 'have', now);
      }
    }
    return true;
  }

  /** A peer says whether it has a block. */
  presence(peer: PeerClient, key: string, have: boolean): void {
    const want = this.#wants.get(key);
    if (want === undefined || want.state === 'storing' || !want.told.has(peer)) return;
    const now = performance.now();
    if (have) this.#onHave(want, peer, now);
    else this.#onDontHave(want, peer);
  }

  /** A verified block that we want. Cancels it everywhere else, stores it, and hands it to all who wait. */
  accept(want: Want, bytes: Uint8Array, from: PeerClient | undefined): void {
    const now = performance.now();
    want.state = 'storing';
    this.#parked.delete(want);
    this.#endProbing(want);
    if (from !== undefined) {
      want.owner.prove(from);
      want.told.delete(from);
    }
    this.#untell(want, now);
    const finish = (error?: unknown): void => {
      if (this.#wants.get(want.key) === want) this.#wants.delete(want.key);
      for (const { resolve, reject } of want.waiters) {
        if (error === undefined) resolve(bytes);
        else reject(new BlockUnavailableError(want.cid, 'it came but could not be stored', error));
      }
      want.waiters.clear();
    };
    try {
      const stored = this.#init.store(want.cid, want.key, bytes);
      if (stored === undefined) finish();
      else stored.then(() => finish(), finish);
    } catch (error) {
      finish(error);
    }
    this.#schedule();
  }

  /** The block came into the store by another way. */
  found(key: string, bytes: Uint8Array): void {
    const want = this.#wants.get(key);
    if (want === undefined || want.state === 'storing') return;
    this.#wants.delete(key);
    this.#forget(want);
    for (const { resolve } of want.waiters) resolve(bytes);
    want.waiters.clear();
  }

  closeSession(session: FetchSession): void {
    for (const want of [...this.#wants.values()]) {
      for (const waiter of [...want.waiters]) {
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
    for (const want of [...this.#wants.values()]) {
      for (const { reject } of want.waiters) reject(new BitswapStoppedError());
    }
    this.#wants.clear();
    this.#parked.clear();
    this.#sessions.clear();
  }

  #onHave(want: Want, peer: PeerClient, now: number): void {
    peer.probes.delete(want.key);
    want.probed.delete(peer);
    if ((want.tried.get(peer.key) ?? 0) >= TRIES_MAX || want.asked === peer) return;
    want.owner.prove(peer);
    this.#endProbing(want);
    want.holders.add(peer);
    if (want.asked === undefined) this.#next(want, now);
    this.#schedule();
  }

  #onDontHave(want: Want, peer: PeerClient): void {
    peer.misses++;
    peer.answered(want.key);
    want.probed.delete(peer);
    want.holders.delete(peer);
    want.tried.set(peer.key, (want.tried.get(peer.key) ?? 0) + 1);
    if (want.asked === peer) want.asked = undefined;
    this.#next(want, performance.now());
    this.#schedule();
  }

  /** Finds somebody else for a want when nobody is asked for it. */
  #next(want: Want, now: number): void {
    if (want.asked !== undefined || want.state === 'storing') return;
    let best: PeerClient | undefined;
    for (const peer of want.holders) {
      if (peer.avoidUntilMs > now) continue;
      if (best === undefined || peer.expectedMs < best.expectedMs) best = peer;
    }
    if (best !== undefined) {
      this.#parked.delete(want);
      this.askBlock(want, best, now);
    } else if (want.probed.size === 0 && want.state !== 'parked') {
      want.owner.enqueue(want);
    }
  }

  #park(want: Want): void {
    want.state = 'parked';
    this.#endProbing(want);
    this.#parked.add(want);
    const session = want.owner;
    this.#init.search(session, want.cid, () => {
      for (const other of this.#parked) if (other.owner === session) return other;
      return undefined;
    });
  }

  #unpark(want: Want): void {
    this.#parked.delete(want);
    want.owner.enqueue(want);
    this.#schedule();
  }

  #endProbing(want: Want): void {
    if (!want.probing) return;
    want.probing = false;
    want.owner.probing--;
  }

  /** Everybody who has this want on his list is told that it is over. */
  #untell(want: Want, now: number): void {
    for (const peer of want.told) peer.withdraw(want, now);
    want.told.clear();
    want.probed.clear();
    want.holders.clear();
    want.asked = undefined;
  }

  #forget(want: Want): void {
    this.#parked.delete(want);
    this.#endProbing(want);
    this.#untell(want, performance.now());
    want.state = 'storing';
    this.#schedule();
  }

  #leave(want: Want, waiter: Waiter): void {
    want.waiters.delete(waiter);
    if (want.state === 'storing') return;
    const [heir] = want.waiters;
    if (heir === undefined) {
      this.#wants.delete(want.key);
      this.#forget(want);
    } else if (want.owner === waiter.session && ![...want.waiters].some(({ session }) => session === want.owner)) {
      this.#endProbing(want);
      want.owner = heir.session;
      this.#sessions.add(heir.session);
      if (want.state === 'pending' || want.state === 'parked') this.#unpark(want);
    }
  }

  async #untilAborted(
    promise: Promise<Uint8Array>,
    want: Want,
    waiter: Waiter,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const { getTimeoutMs } = this.#init.limits;
    const giveUp = (reason: Error): void => {
      if (!want.waiters.has(waiter)) return;
      waiter.reject(reason);
      this.#leave(want, waiter);
    };
    if (signal === undefined) {
      const reason = `nobody delivered it within ${getTimeoutMs} ms`;
      const timer = setTimeout(() => giveUp(new BlockUnavailableError(want.cid, reason)), getTimeoutMs);
      return promise.finally(() => clearTimeout(timer));
    }
    const onAbort = (): void => giveUp(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** The peer cannot be asked any more: all its wants go elsewhere. */
  #drop(peer: PeerClient): void {
    const now = performance.now();
    for (const want of this.#wants.values()) {
      if (!want.told.delete(peer)) continue;
      want.holders.delete(peer);
      want.probed.delete(peer);
      if (want.asked === peer) want.asked = undefined;
      this.#next(want, now);
    }
    peer.asks.clear();
    peer.probes.clear();
    this.#schedule();
  }

  #onUnreachable(peer: PeerClient, error: unknown): void {
    this.#init.log?.('cannot ask %p for blocks - %e', peer.id, error);
    peer.avoidUntilMs = performance.now() + UNREACHABLE_MS;
    this.#drop(peer);
  }

  #onUnanswerable(peer: PeerClient, key: string): void {
    this.presence(peer, key, true);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const now = performance.now();
      for (const session of this.#sessions) session.schedule(now);
    });
  }

  #startTick(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => this.#check(), TICK_MS);
    timer.unref();
    return timer;
  }

  /** Moves wants away from peers that stall, and tries again what had to wait. */
  #check(): void {
    if (this.#wants.size === 0) {
      clearInterval(this.#tick);
      this.#tick = undefined;
      this.#sessions.clear();
      return;
    }
    const now = performance.now();
    const { stallTimeoutMs, askTimeoutMs } = this.#init.limits;
    for (const peer of this.#peers.values()) {
      if (peer.asks.size > 0 && now - peer.progressMs > stallTimeoutMs) peer.avoidUntilMs = now + AVOID_MS;
    }
    for (const want of this.#wants.values()) {
      const { asked } = want;
      if (asked !== undefined && (asked.avoidUntilMs > now || now - want.askedMs > askTimeoutMs)) {
        this.#moveOn(want, asked, now);
      }
      for (const [peer, sinceMs] of want.probed) {
        if (now - sinceMs <= stallTimeoutMs) continue;
        want.probed.delete(peer);
        peer.probes.delete(want.key);
        want.tried.set(peer.key, (want.tried.get(peer.key) ?? 0) + 1);
        this.#next(want, now);
      }
    }
    for (const want of [...this.#parked]) {
      if (this.#hasUntried(want, now)) this.#unpark(want);
    }
    this.#schedule();
  }

  /** Leaves a peer that does not deliver, unless it is the only hope. */
  #moveOn(want: Want, from: PeerClient, now: number): void {
    if (want.holders.size === 0 && want.probed.size === 0 && !this.#hasUntried(want, now, from)) {
      this.#init.search(want.owner, want.cid, () => (this.#wants.get(want.key) === want ? want : undefined));
      return;
    }
    want.told.delete(from);
    from.withdraw(want, now);
    want.tried.set(from.key, (want.tried.get(from.key) ?? 0) + 1);
    want.asked = undefined;
    this.#next(want, now);
  }

  #hasUntried(want: Want, now: number, except?: PeerClient): boolean {
    const usable = (peer: PeerClient): boolean =>
      peer !== except && peer.avoidUntilMs <= now && !want.tried.has(peer.key);
    for (const peer of this.#connected) if (usable(peer)) return true;
    return want.owner.trustedPeers().some(usable);
  }
}

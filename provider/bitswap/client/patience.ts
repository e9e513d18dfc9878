import type { BitswapLimits } from '../constants.ts';
import type { PeerBook } from './peer-book.ts';
import type { PeerClient } from './peer-client.ts';
import type { Want } from './want.ts';

/** A peer that stopped delivering is not asked for blocks for so long. */
const AVOID_MS = 30_000;
/** From then on, what a peer was asked for last goes to another one that has nothing to do. */
const STEAL_MS = 1_000;

export interface PatienceActions {
  /** `from` has had its chance: the want goes to somebody else. */
  moveOn(want: Want, from: PeerClient, now: number): void;
  /** `from` was asked whether it has the block and is silent. */
  readSilence(want: Want, from: PeerClient, now: number): void;
  /** The only peer that could deliver does not: look for others while it is waited for. */
  search(want: Want): void;
  /** A parked want has somebody to ask again. */
  unpark(want: Want): void;
}

/** Decides, a few times a second, who has been waited for long enough. */
export class Patience {
  readonly #limits: BitswapLimits;
  readonly #peers: PeerBook;
  readonly #actions: PatienceActions;

  constructor(limits: BitswapLimits, peers: PeerBook, actions: PatienceActions) {
    this.#limits = limits;
    this.#peers = peers;
    this.#actions = actions;
  }

  check(wants: Iterable<Want>, now: number): void {
    const { stallTimeoutMs, askTimeoutMs } = this.#limits;
    for (const peer of this.#peers.all()) {
      if (peer.asks.size > 0 && now - peer.progressMs > stallTimeoutMs) peer.avoidUntilMs = now + AVOID_MS;
      this.#relieve(peer, now);
    }
    for (const want of wants) {
      const { asked } = want;
      if (asked !== undefined && (asked.avoidUntilMs > now || now - want.askedMs > askTimeoutMs)) {
        if (this.#hasAlternative(want, asked, now)) this.#actions.moveOn(want, asked, now);
        else this.#actions.search(want);
      }
      for (const [peer, sinceMs] of want.probed) {
        if (now - sinceMs > stallTimeoutMs) this.#actions.readSilence(want, peer, now);
      }
      if (want.state === 'parked' && this.#hasUntried(want, undefined, now)) this.#actions.unpark(want);
    }
  }

  /**
   * Takes half of what a slow peer is asked for away from it, as far as a peer of the same session is idle: the half that
   * it was asked for last, which is the least likely to be under way already.
   */
  #relieve(slow: PeerClient, now: number): void {
    const [oldest] = slow.asks.values();
    if (oldest === undefined || now - oldest.askedMs < STEAL_MS) return;
    const wants = [...slow.asks.values()];
    for (const want of wants.slice(Math.floor(wants.length / 2))) {
      if (this.#hasIdler(want, slow, now)) this.#actions.moveOn(want, slow, now);
    }
  }

  #hasIdler(want: Want, slow: PeerClient, now: number): boolean {
    const connected = this.#peers.connected();
    return want.owner
      .trustedPeers()
      .some(
        (peer) =>
          peer !== slow &&
          peer.asks.size === 0 &&
          peer.hits > 0 &&
          peer.avoidUntilMs <= now &&
          connected.has(peer) &&
          !want.tried.has(peer.key),
      );
  }

  #hasAlternative(want: Want, asked: PeerClient, now: number): boolean {
    return want.holders.size > 0 || want.probed.size > 0 || this.#hasUntried(want, asked, now);
  }

  #hasUntried(want: Want, except: PeerClient | undefined, now: number): boolean {
    const usable = (peer: PeerClient): boolean =>
      peer !== except && peer.avoidUntilMs <= now && !want.tried.has(peer.key);
    for (const peer of this.#peers.connected()) if (usable(peer)) return true;
    return want.owner.trustedPeers().some(usable);
  }
}

import type { PeerBook } from './peer-book.ts';
import type { PeerClient } from './peer-client.ts';
import type { FetchSession } from './session.ts';
import { TRIES_MAX, type Want } from './want.ts';

export interface AskerInit {
  peers: PeerBook;
  wants: ReadonlyMap<string, Want>;
  /** Gives pending wants to peers with room, soon. */
  schedule: () => void;
  /** Nobody we know delivers to this session: look for others, until `parked` gives no want any more. */
  search: (session: FetchSession, parked: () => Want | undefined) => void;
}

const PROBES_PER_WANT_MAX = 256;

/** Decides who is asked next for one want, and what an answer, a silence or a loss means for it. */
export class Asker {
  readonly #init: AskerInit;

  constructor(init: AskerInit) {
    this.#init = init;
  }

  enqueue(want: Want): void {
    want.owner.enqueue(want);
    this.#init.schedule();
  }

  askBlock(want: Want, peer: PeerClient, now: number): void {
    want.state = 'asked';
    want.asked = peer;
    want.askedMs = now;
    want.holders.delete(peer);
    want.probed.delete(peer);
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
    for (const peer of this.#init.peers.connected()) {
      if (want.tried.has(peer.key) || want.probed.has(peer) || peer.avoidUntilMs > now) continue;
      if (!peer.hasRoom) {
        busy = true;
      } else if (best === undefined || peer.expectedMs < best.expectedMs) {
        if (best !== undefined) others.push(best);
        best = peer;
      } else {
        others.push(peer);
      }
    }
    if (best === undefined) {
      if (!busy) this.#park(want);
      return !busy;
    }
    if (!want.probing) {
      want.probing = true;
      want.owner.probing++;
    }
    this.askBlock(want, best, now);
    for (const peer of others.slice(0, PROBES_PER_WANT_MAX)) {
      if (!peer.answersPresence) {
        want.holders.add(peer);
      } else if (peer.mayProbe) {
        want.probed.set(peer, now);
        peer.ask(want, 'have', now);
      }
    }
    return true;
  }

  have(want: Want, peer: PeerClient): void {
    want.probed.delete(peer);
    peer.probes.delete(want.key);
    if ((want.tried.get(peer.key) ?? 0) >= TRIES_MAX || want.asked === peer) return;
    want.owner.prove(peer);
    this.endProbing(want);
    want.holders.add(peer);
    this.next(want, performance.now());
  }

  dontHave(want: Want, peer: PeerClient): void {
    peer.misses++;
    want.owner.refuse(peer);
    peer.answered(want.key);
    want.holders.delete(peer);
    this.#gone(want, peer, performance.now());
  }

  /** `from` was asked whether it has the block and did not answer. */
  silence(want: Want, from: PeerClient, now: number): void {
    from.probes.delete(want.key);
    this.#gone(want, from, now);
  }

  /** `from` was asked for the block and does not deliver. */
  moveOn(want: Want, from: PeerClient, now: number): void {
    want.told.delete(from);
    from.withdraw(want, now);
    this.#gone(want, from, now);
  }

  /** The peer cannot be asked any more: all its wants go elsewhere, and may come back when it does. */
  drop(peer: PeerClient): void {
    const now = performance.now();
    for (const want of this.#init.wants.values()) {
      if (!want.told.delete(peer)) continue;
      want.holders.delete(peer);
      want.probed.delete(peer);
      if (want.asked === peer) want.asked = undefined;
      this.next(want, now);
    }
    peer.asks.clear();
    peer.probes.clear();
  }

  /** Finds somebody else for a want when nobody is asked for it. */
  next(want: Want, now: number): void {
    if (want.asked !== undefined || want.state === 'storing') return;
    let best: PeerClient | undefined;
    for (const peer of want.holders) {
      if (peer.avoidUntilMs > now) continue;
      if (best === undefined || peer.expectedMs < best.expectedMs) best = peer;
    }
    if (best !== undefined) this.askBlock(want, best, now);
    else if (want.probed.size === 0 && want.state === 'asked') this.enqueue(want);
  }

  /** Nobody is asked any more: everybody who has this want on his list is told that it is over. */
  settle(want: Want): void {
    const now = performance.now();
    want.state = 'storing';
    this.endProbing(want);
    for (const peer of want.told) peer.withdraw(want, now);
    want.told.clear();
    want.probed.clear();
    want.holders.clear();
    want.asked = undefined;
    this.#init.schedule();
  }

  endProbing(want: Want): void {
    if (!want.probing) return;
    want.probing = false;
    want.owner.probing--;
  }

  #gone(want: Want, peer: PeerClient, now: number): void {
    want.probed.delete(peer);
    want.tried.set(peer.key, (want.tried.get(peer.key) ?? 0) + 1);
    if (want.asked === peer) want.asked = undefined;
    this.next(want, now);
  }

  #park(want: Want): void {
    want.state = 'parked';
    this.endProbing(want);
    const session = want.owner;
    this.#init.search(session, () => {
      for (const other of this.#init.wants.values()) {
        if (other.state === 'parked' && other.owner === session) return other;
      }
      return undefined;
    });
  }
}

import type { PeerId } from '@libp2p/interface';

import type { PeerScore } from './batch.ts';
import type { LedgerReceipt } from './types.ts';

/** go-bitswap's figures: every 10 s a sample, every tenth sample counts for the long term. */
const SHORT_TERM_MS = 10_000;
const LONG_TERM_RATIO = 10;
const SHORT_TERM_ALPHA = 0.5;
const LONG_TERM_ALPHA = 0.05;
const SHORT_TERM_SCORE = 10;
const LONG_TERM_SCORE = 10;

interface Scored {
  peer: PeerId;
  connections: number;
  short: number;
  long: number;
  score: number;
  /** `exchanged` at the last sample. */
  shortSeen: number;
  longSeen: number;
}

/**
 * go-bitswap's usefulness of connected peers, 0 to 25: two moving averages of "did we exchange anything", weighted by how
 * much of it the peer gave us. It only tags connections; admission is the matter of credit.
 */
export class Scores {
  readonly #receiptOf: (peer: PeerId) => LedgerReceipt | undefined;
  readonly #peers = new Map<string, Scored>();
  readonly #onChange: () => void;
  #scorePeer: ((peer: PeerId, score: number) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #samples = 0;

  /** `onChange` is told that some scores are others now. */
  constructor(receiptOf: (peer: PeerId) => LedgerReceipt | undefined, onChange: () => void = () => {}) {
    this.#receiptOf = receiptOf;
    this.#onChange = onChange;
  }

  start(scorePeer: (peer: PeerId, score: number) => void): void {
    this.#scorePeer = scorePeer;
    this.#timer ??= setInterval(() => this.sample(), SHORT_TERM_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#scorePeer = undefined;
    this.#peers.clear();
    this.#onChange();
  }

  /** The scores above 0. */
  values(): PeerScore[] {
    return Array.from(this.#peers.values(), ({ peer, score }) => ({ peer: peer.toString(), score })).filter(
      ({ score }) => score > 0,
    );
  }

  connected(peer: PeerId): void {
    const key = peer.toString();
    const scored = this.#peers.get(key);
    if (scored !== undefined) {
      scored.connections += 1;
      return;
    }
    const seen = this.#receiptOf(peer)?.exchanged ?? 0;
    this.#peers.set(key, { peer, connections: 1, short: 0, long: 0, score: 0, shortSeen: seen, longSeen: seen });
  }

  disconnected(peer: PeerId): void {
    const key = peer.toString();
    const scored = this.#peers.get(key);
    if (scored === undefined) return;
    scored.connections -= 1;
    if (scored.connections > 0) return;
    this.#peers.delete(key);
    if (scored.score > 0) this.#onChange();
  }

  /** One period has passed. */
  sample(): void {
    const longTerm = this.#samples % LONG_TERM_RATIO === 0;
    this.#samples += 1;
    let changed = false;
    for (const scored of this.#peers.values()) {
      const { sent = 0, recv = 0, exchanged = 0 } = this.#receiptOf(scored.peer) ?? {};
      scored.short = average(scored.short, exchanged > scored.shortSeen ? SHORT_TERM_SCORE : 0, SHORT_TERM_ALPHA);
      scored.shortSeen = exchanged;
      if (longTerm) {
        scored.long = average(scored.long, exchanged > scored.longSeen ? LONG_TERM_SCORE : 0, LONG_TERM_ALPHA);
        scored.longSeen = exchanged;
      }
      const given = recv === 0 ? 0 : recv / (recv + sent);
      const score = Math.floor((scored.short + scored.long) * (given * 0.5 + 0.75));
      if (score === scored.score) continue;
      scored.score = score;
      changed = true;
      this.#scorePeer?.(scored.peer, score);
    }
    if (changed) this.#onChange();
  }
}

function average(old: number, value: number, alpha: number): number {
  return value * alpha + (1 - alpha) * old;
}

import type { PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import type { BitswapLimits } from '../constants.ts';
import { dialectOf, type Link } from '../net/network.ts';
import { encodeFrame, type WantToSend, wantSize } from '../wire/encode.ts';
import type { Want } from './want.ts';

export type AskKind = 'block' | 'have';

/** The first wants to a peer that we know nothing of; the window grows by one with every block that comes. */
const WINDOW_START = 32;
const WINDOW_MIN = 8;
/** What we guess for a block that we know nothing of. */
const BLOCK_BYTES_GUESS = 64 * 1024;
const RATE_SAMPLE_MS = 50;
/** What a peer of 1.1 or older, which never says DONT_HAVE, is behind one that does. */
const SILENCE_MS = 1_000;
/** Weight of a new sample in the moving averages. */
const SMOOTHING = 0.25;
/** Go counts down from here, so that what was wanted first is sent first; peers compare only within one peer. */
const PRIORITY_FIRST = 0x7fffffff;
const WANTLIST_FRAME_BYTES_MAX = 512 * 1024;
/** Asks that we took back: their blocks may be under way already. */
const WITHDRAWN_MAX = 1024;
const WITHDRAWN_MS = 10_000;

export interface PeerClientEvents {
  /** No stream to the peer could be opened: nothing that it was asked has reached it. */
  onUnreachable: (peer: PeerClient, error: unknown) => void;
  /** The peer speaks a version without want-have: it cannot be asked for presence. */
  onUnanswerable: (peer: PeerClient, key: string) => void;
}

/** The asking side of one peer: what it is asked for, how fast it answers, and the wantlist entries to send. */
export class PeerClient {
  readonly link: Link;
  readonly #limits: BitswapLimits;
  readonly #events: PeerClientEvents;
  /** Blocks that the peer is asked to send. */
  readonly asks = new Map<string, Want>();
  /** Blocks that the peer is asked about. */
  readonly probes = new Map<string, Want>();
  readonly #withdrawn = new Map<string, { kind: AskKind; atMs: number }>();
  #outgoing = new Map<string, WantToSend>();
  #flushing = false;
  #priority = PRIORITY_FIRST;
  #window = WINDOW_START;
  #blockBytes = BLOCK_BYTES_GUESS;
  #rate: number | undefined;
  #sampleBytes = 0;
  #sampleMs = 0;
  /** When the peer last gave us something that we wanted, or was asked after it owed us nothing. */
  progressMs = 0;
  /** Until then the peer is not asked for blocks: it stopped delivering, or could not be reached. */
  avoidUntilMs = 0;
  junkBytes = 0;
  hits = 0;
  misses = 0;

  constructor(link: Link, limits: BitswapLimits, events: PeerClientEvents) {
    this.link = link;
    this.#limits = limits;
    this.#events = events;
  }

  get id(): PeerId {
    return this.link.peer;
  }

  get key(): string {
    return this.link.key;
  }

  /** False for peers that speak only 1.1 or older: for them a want-have would be a want-block. Unknown counts as true. */
  get answersPresence(): boolean {
    const { protocol } = this.link.control;
    return protocol === undefined || dialectOf(protocol).presences;
  }

  get mayProbe(): boolean {
    return this.probes.size < this.#limits.asksPerPeerMax;
  }

  get hasRoom(): boolean {
    const byBytes = Math.max(WINDOW_MIN, this.#limits.askedPerPeerBytes / this.#blockBytes);
    return this.asks.size < Math.min(this.#window, byBytes, this.#limits.asksPerPeerMax);
  }

  /** Milliseconds until the peer would have sent us one block more; only good for comparing peers. */
  get expectedMs(): number {
    const bytes = (this.asks.size + 1) * this.#blockBytes;
    const unlikely = Math.max(0, this.misses - this.hits);
    return bytes / (this.#rate ?? RATE_GUESS) + unlikely + (this.answersPresence ? 0 : SILENCE_MS);
  }

  ask(want: Want, kind: AskKind, now: number): void {
    this.probes.delete(want.key);
    if (kind === 'block') {
      if (this.asks.size === 0) {
        this.progressMs = now;
        this.#sampleMs = now;
        this.#sampleBytes = 0;
      }
      this.asks.set(want.key, want);
    } else {
      this.probes.set(want.key, want);
    }
    want.told.add(this);
    this.#send(want.cid, want.key, { cancel: false, wantHave: kind === 'have', sendDontHave: true });
  }

  /** Takes an ask or a probe back and tells the peer. A block that is under way already is still credited. */
  withdraw(want: Want, now: number): void {
    const kind = this.asks.delete(want.key) ? 'block' : 'have';
    this.probes.delete(want.key);
    this.#remember(want.key, kind, now);
    this.#send(want.cid, want.key, { cancel: true, wantHave: false, sendDontHave: false });
  }

  /** The peer has answered: nothing is to be told to it. Returns what it was asked. */
  answered(key: string): AskKind | undefined {
    const kind = this.asks.delete(key) ? 'block' : this.probes.has(key) ? 'have' : undefined;
    this.probes.delete(key);
    return kind;
  }

  /** What the peer was asked for before we took it back a short time ago; each ask counts once. */
  takeWithdrawn(key: string, now: number): AskKind | undefined {
    const withdrawn = this.#withdrawn.get(key);
    if (withdrawn === undefined) return undefined;
    this.#withdrawn.delete(key);
    return now - withdrawn.atMs > WITHDRAWN_MS ? undefined : withdrawn.kind;
  }

  get hasWithdrawn(): boolean {
    return this.#withdrawn.size > 0;
  }

  /** Notes a block that we wanted from this peer. */
  delivered(bytes: number, now: number): void {
    this.hits++;
    this.avoidUntilMs = 0;
    this.progressMs = now;
    this.junkBytes = Math.max(0, this.junkBytes - bytes);
    this.#window++;
    this.#blockBytes += (bytes - this.#blockBytes) * SMOOTHING;
    this.#sampleBytes += bytes;
    const elapsed = now - this.#sampleMs;
    if (elapsed < RATE_SAMPLE_MS) return;
    const rate = this.#sampleBytes / elapsed;
    this.#rate = this.#rate === undefined ? rate : this.#rate + (rate - this.#rate) * SMOOTHING;
    this.#sampleBytes = 0;
    this.#sampleMs = now;
  }

  /** Sends everything that the peer is asked for again: the stream that carried it was lost. */
  repeat(): void {
    for (const [key, { cid }] of this.asks) {
      this.#send(cid, key, { cancel: false, wantHave: false, sendDontHave: true });
    }
    for (const [key, { cid }] of this.probes) {
      this.#send(cid, key, { cancel: false, wantHave: true, sendDontHave: true });
    }
  }

  #remember(key: string, kind: AskKind, now: number): void {
    if (this.#withdrawn.size >= WITHDRAWN_MAX) {
      const oldest = this.#withdrawn.keys().next().value;
      if (oldest !== undefined) this.#withdrawn.delete(oldest);
    }
    this.#withdrawn.set(key, { kind, atMs: now });
  }

  #send(cid: CID, key: string, flags: Omit<WantToSend, 'cid' | 'priority'>): void {
    // One entry for each block and message: the last word counts, as boxo reads it. It goes to the end of the line.
    this.#outgoing.delete(key);
    const priority = flags.cancel ? 0 : this.#priority--;
    if (this.#priority < 1) this.#priority = PRIORITY_FIRST;
    this.#outgoing.set(key, { cid: cid.bytes, priority, ...flags });
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#write()
      .catch((error: unknown) => {
        this.#outgoing.clear();
        this.#events.onUnreachable(this, error);
      })
      .finally(() => {
        this.#flushing = false;
        if (this.#outgoing.size > 0) {
          this.#flushing = true;
          setImmediate(() => this.#flush());
        }
      });
  }

  async #write(): Promise<void> {
    const dialect = dialectOf(await this.link.control.ready());
    const outgoing = this.#outgoing;
    this.#outgoing = new Map();
    let wants: WantToSend[] = [];
    let bytes = 0;
    for (const [key, want] of outgoing) {
      if (!dialect.presences) {
        if (want.wantHave) {
          this.#events.onUnanswerable(this, key);
          continue;
        }
        want.sendDontHave = false;
      }
      wants.push(want);
      bytes += wantSize(want);
      if (bytes < WANTLIST_FRAME_BYTES_MAX) continue;
      await this.link.control.send(encodeFrame({ wants }));
      wants = [];
      bytes = 0;
    }
    if (wants.length > 0) await this.link.control.send(encodeFrame({ wants }));
  }
}

/** Bytes per millisecond that a peer is credited with before it is measured: high, so that newcomers get a try. */
const RATE_GUESS = 10_000;

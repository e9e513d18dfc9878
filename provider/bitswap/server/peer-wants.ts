import type { CID } from 'multiformats/cid';
import { bytesKey, cidFromWire, parseWireCid, type Prefix } from '../cid.ts';
import type { DecodedWant } from '../wire/decode.ts';

/**
 * - queued: to be looked at by the sender
 * - loading: the sender is working on it
 * - missing: we do not have the block; it is sent when it arrives
 * - refused: the peer has no credit for it now
 */
export type PeerWantState = 'queued' | 'loading' | 'missing' | 'refused';

export interface PeerWant {
  readonly key: string;
  readonly cid: CID;
  readonly cidBytes: Uint8Array;
  readonly prefix: Prefix;
  /** Key of the block itself, whatever version and codec the peer named. */
  readonly multihashKey: string;
  /** Arrival order. */
  readonly sequence: number;
  priority: number;
  wantHave: boolean;
  sendDontHave: boolean;
  state: PeerWantState;
  /** The size of our block, once known. */
  size: number | undefined;
  /** We said DONT_HAVE; not repeated until the peer asks again. */
  saidDontHave: boolean;
  /** HAVE was pushed because credit came back; when the peer does not react we serve it. */
  announced: boolean;
  /** There was room for it when it was announced: ask the ledger again before refusing it. */
  promised: boolean;
  /** Deliveries that failed. */
  failures: number;
}

export interface PeerWantsEvents {
  /** Whether there is room for one more among the wants of all peers. */
  mayAdd: () => boolean;
  onAdded: (want: PeerWant) => void;
  onGone: (want: PeerWant) => void;
}

export type WantChange = 'added' | 'again' | 'cancelled' | 'ignored' | 'invalid';

/**
 * What one peer wants from us, over all its messages. Bounded: when it is full, a want that we cannot serve makes room
 * for a new one, else the new one is dropped (the peer reads silence as DONT_HAVE).
 */
export class PeerWants {
  readonly #max: number;
  readonly #wants = new Map<string, PeerWant>();
  /** The wants in state missing or refused, oldest first. */
  readonly #waiting = new Map<string, PeerWant>();
  readonly #events: PeerWantsEvents;
  #sequence = 0;

  constructor(max: number, events: PeerWantsEvents) {
    this.#max = max;
    this.#events = events;
  }

  get size(): number {
    return this.#wants.size;
  }

  all(): IterableIterator<PeerWant> {
    return this.#wants.values();
  }

  waiting(): IterableIterator<PeerWant> {
    return this.#waiting.values();
  }

  /** False for a want that was cancelled or replaced while the sender worked on it. */
  holds(want: PeerWant): boolean {
    return this.#wants.get(want.key) === want;
  }

  /** Applies one entry of a wantlist. `change.want` is the want to look at for 'added' and 'again'. */
  apply(entry: DecodedWant): { change: WantChange; want?: PeerWant } {
    const key = bytesKey(entry.cid);
    const present = this.#wants.get(key);
    if (entry.cancel) {
      if (present === undefined) return { change: 'ignored' };
      this.remove(present);
      return { change: 'cancelled', want: present };
    }
    if (present !== undefined) return this.#again(present, entry);
    const parsed = parseWireCid(entry.cid);
    if (parsed === undefined) return { change: 'invalid' };
    if (this.#wants.size >= this.#max && !this.evict()) return { change: 'ignored' };
    if (!this.#events.mayAdd()) return { change: 'ignored' };
    // Not slice(): of a Buffer that is a view, which would keep the whole message.
    const cidBytes = new Uint8Array(entry.cid);
    const want: PeerWant = {
      key,
      cid: cidFromWire(cidBytes, parsed),
      cidBytes,
      prefix: parsed,
      multihashKey: parsed.multihashOffset === 0 ? key : key.slice(parsed.multihashOffset),
      sequence: this.#sequence++,
      priority: entry.priority,
      wantHave: entry.wantHave,
      sendDontHave: entry.sendDontHave,
      state: 'queued',
      size: undefined,
      saidDontHave: false,
      announced: false,
      promised: false,
      failures: 0,
    };
    this.#wants.set(key, want);
    this.#events.onAdded(want);
    return { change: 'added', want };
  }

  setState(want: PeerWant, state: PeerWantState): void {
    want.state = state;
    if (state === 'missing' || state === 'refused') this.#waiting.set(want.key, want);
    else this.#waiting.delete(want.key);
  }

  remove(want: PeerWant): void {
    if (!this.holds(want)) return;
    this.#wants.delete(want.key);
    this.#waiting.delete(want.key);
    this.#events.onGone(want);
  }

  clear(): void {
    for (const want of [...this.#wants.values()]) this.remove(want);
  }

  #again(want: PeerWant, entry: DecodedWant): { change: WantChange; want?: PeerWant } {
    const upgraded = want.wantHave && !entry.wantHave;
    if (want.state === 'loading') {
      // The answer that is under way may be a HAVE: ask for the block as a want of its own.
      if (!upgraded) return { change: 'ignored' };
      this.remove(want);
      return this.apply(entry);
    }
    if (upgraded) want.wantHave = false;
    want.priority = entry.priority;
    want.sendDontHave ||= entry.sendDontHave;
    want.saidDontHave = false;
    want.announced = false;
    if (want.state === 'queued') return { change: 'ignored' };
    this.setState(want, 'queued');
    return { change: 'again', want };
  }

  /** Makes room by forgetting the oldest want that we cannot serve now. False when there is none. */
  evict(): boolean {
    const oldest = this.#waiting.values().next().value;
    if (oldest === undefined) return false;
    this.remove(oldest);
    return true;
  }
}

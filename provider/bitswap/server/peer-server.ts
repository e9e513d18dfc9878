import { type Dialect, dialectOf, type Link } from '../net/network.ts';
import type { Outbound } from '../net/outbound.ts';
import type { DecodedWant } from '../wire/decode.ts';
import { encodeFrame, type PresenceToSend } from '../wire/encode.ts';
import { Announcer } from './announcer.ts';
import { CreditGate } from './credit-gate.ts';
import { type PeerWant, PeerWants, type PeerWantsEvents } from './peer-wants.ts';
import { readyLane, type Shipment, Shipper } from './shipper.ts';
import { TaskQueue } from './task-queue.ts';
import { byPriority, type ServerContext, type Task } from './types.ts';

/** Wants that are looked up together: enough to fill a message of small blocks, few enough to stay fair. */
const LOOKUPS_MAX = 256;
const PRESENCES_MAX = 1024;
/** Tries to open a stream to a peer that wants something, before its wants are dropped. */
const OPENS_MAX = 3;
const REOPEN_MS = 1_000;

interface Presence {
  want: PeerWant;
  have: boolean;
}

export interface PeerServerEvents extends PeerWantsEvents {
  /** We do not have the block: remember who waits for it. */
  onMissing: (server: PeerServer, want: PeerWant) => void;
  /** How many blocks have come into the store so far. */
  arrivals: () => number;
}

/**
 * Serves one peer. New wants are looked up first (missing: DONT_HAVE, want-have: HAVE); those that need a block go into
 * a queue by priority. From there a shipment is filled, credit reserved, room waited for, the blocks loaded and sent,
 * and the credit settled once the connection has taken the message. One loop, so that at most one shipment is being
 * built; up to `outstandingPerPeerBytes` of earlier ones may be under way.
 */
export class PeerServer {
  readonly link: Link;
  readonly wants: PeerWants;
  readonly #context: ServerContext;
  readonly #events: PeerServerEvents;
  readonly #credit: CreditGate;
  readonly #announcer: Announcer;
  readonly #shipper: Shipper;
  readonly #queue: TaskQueue<PeerWant>;
  #lane: Outbound;
  readonly #stop = new AbortController();
  #new: PeerWant[] = [];
  #presences: Presence[] = [];
  #running = false;
  #openFailures = 0;
  #dialect: Dialect = { presences: true, prefixes: true };
  #reopenTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(link: Link, context: ServerContext, events: PeerServerEvents) {
    this.link = link;
    this.#lane = link.data;
    this.#context = context;
    this.#events = events;
    this.wants = new PeerWants(context.limits.wantsPerPeerMax, events);
    this.#credit = new CreditGate(context.ledger, link.peer, () => this.#announcer.announce());
    const { wants } = this;
    this.#announcer = new Announcer({
      wants,
      credit: this.#credit,
      limits: context.limits,
      enqueue: (want) => this.#enqueue(want),
      sayHave: (want) => {
        this.#presences.push({ want, have: true });
        this.#pump();
      },
      knowsHave: () => this.#dialect.presences,
    });
    this.#shipper = new Shipper(
      { link, context, credit: this.#credit, wants, stop: this.#stop.signal },
      {
        onMissing: (want) => this.#missing(want),
        onRetry: (want) => this.#enqueue(want),
        takePresences: () => this.#takePresences(),
      },
    );
    this.#queue = new TaskQueue((a, b) => this.#before(a, b));
  }

  /** Applies one entry of a wantlist. Returns false when it was not a want at all. */
  want(entry: DecodedWant): boolean {
    const { change, want } = this.wants.apply(entry);
    if ((change === 'added' || change === 'again') && want !== undefined) this.#enqueue(want);
    return change !== 'invalid';
  }

  /** A block that this peer waits for has arrived. */
  arrived(want: PeerWant, size: number): void {
    if (!this.wants.holds(want) || want.state !== 'missing') return;
    want.size = size;
    this.#enqueue(want);
  }

  /** The peer gave us something: what was refused may have room now. */
  credited(): void {
    this.#credit.credited();
  }

  close(reason: Error): void {
    this.#stop.abort(reason);
    this.#credit.close();
    this.#announcer.close();
    clearTimeout(this.#reopenTimer);
    this.#queue.clear();
    this.#new = [];
    this.#presences = [];
    this.wants.clear();
  }

  #before(a: PeerWant, b: PeerWant): boolean {
    if (this.#context.before === byPriority && a.priority !== b.priority) return a.priority > b.priority;
    const [first, second] = [this.#task(a), this.#task(b)];
    if (this.#context.before(first, second)) return true;
    return !this.#context.before(second, first) && a.sequence < b.sequence;
  }

  #task({ cid, priority, wantHave, size }: PeerWant): Task {
    return { peer: this.link.peer, cid, priority, wantHave, size };
  }

  #enqueue(want: PeerWant): void {
    this.wants.setState(want, 'queued');
    // A peer that cancels and asks again, over and over, leaves wants behind that are none any more.
    if (this.#new.length >= 2 * this.#context.limits.wantsPerPeerMax)
      this.#new = this.#new.filter((w) => this.#isQueued(w));
    this.#new.push(want);
    this.#pump();
  }

  #isQueued(want: PeerWant): boolean {
    return want.state === 'queued' && this.wants.holds(want);
  }

  get #idle(): boolean {
    return this.#new.length === 0 && this.#queue.size === 0 && this.#presences.length === 0;
  }

  #pump(): void {
    if (this.#running || this.#stop.signal.aborted || this.#idle) return;
    this.#running = true;
    // One turn later, so that all wants of a message are looked at together.
    queueMicrotask(() => {
      this.#run()
        .then(() => {
          this.#running = false;
          this.#pump();
        })
        .catch((error: unknown) => {
          this.#context.log?.('cannot serve %p - %e', this.link.peer, error);
          this.#running = false;
          this.#reopenLater();
        });
    });
  }

  /** The peer does not take our stream. It may be starting; a few tries, then its wants are dropped. */
  #reopenLater(): void {
    if (this.#stop.signal.aborted) return;
    if (++this.#openFailures < OPENS_MAX) {
      this.#reopenTimer = setTimeout(() => this.#pump(), REOPEN_MS * this.#openFailures);
      this.#reopenTimer.unref();
      return;
    }
    this.#openFailures = 0;
    this.#new = [];
    this.#presences = [];
    this.#queue.clear();
    this.wants.clear();
  }

  async #run(): Promise<void> {
    while (!this.#idle && !this.#stop.signal.aborted) {
      this.#lane = await readyLane(this.link);
      this.#dialect = dialectOf(this.#lane.protocol ?? '');
      this.#openFailures = 0;
      await this.#lookUp();
      const shipment = this.#fill();
      const [first] = shipment.wants;
      if (first === undefined) this.#sendPresences();
      else await this.#shipper.ship(shipment, this.#dialect, this.#task(first));
    }
  }

  /** Finds out what we can answer new wants with. */
  async #lookUp(): Promise<void> {
    const wants = this.#new.splice(0, LOOKUPS_MAX).filter((want) => this.#isQueued(want));
    const arrivals = this.#events.arrivals();
    const pending: Promise<void>[] = [];
    for (const want of wants) {
      if (want.size !== undefined) continue;
      try {
        const size = this.#context.blocks.size(want.cid);
        if (typeof size === 'object') {
          pending.push(size.then((bytes) => void (want.size = bytes)).catch(this.#onStoreError));
        } else {
          want.size = size;
        }
      } catch (error) {
        this.#onStoreError(error);
      }
    }
    if (pending.length > 0) await Promise.all(pending);
    for (const want of wants) {
      if (this.#isQueued(want)) this.#place(want);
    }
    if (this.#events.arrivals() !== arrivals) await this.#lookAgain(wants);
  }

  /** Blocks came into the store while we were looking: one of them may be one that we did not find. */
  async #lookAgain(wants: PeerWant[]): Promise<void> {
    for (const want of wants) {
      if (want.state !== 'missing') continue;
      const size = await this.#context.blocks.size(want.cid);
      if (size !== undefined) this.arrived(want, size);
    }
  }

  readonly #onStoreError = (error: unknown): void => {
    this.#context.log?.error('the block store failed while serving %p - %e', this.link.peer, error);
  };

  #place(want: PeerWant): void {
    const { limits, filter } = this.#context;
    const denied = filter !== undefined && !filter(this.link.peer, want.cid);
    if (want.size === undefined || want.size > limits.blockBytesMax || denied) {
      this.#missing(want, denied);
    } else if (this.#credit.refuses(want)) {
      this.#refuse(want);
    } else if (want.wantHave && this.#dialect.presences && want.size > limits.replaceHaveWithBlockBytesMax) {
      this.#presences.push({ want, have: true });
    } else {
      this.#queue.push(want);
    }
  }

  #missing(want: PeerWant, denied = false): void {
    want.size = undefined;
    this.wants.setState(want, 'missing');
    if (!denied) this.#events.onMissing(this, want);
    this.#sayDontHave(want);
  }

  #refuse(want: PeerWant): void {
    want.promised = false;
    this.wants.setState(want, 'refused');
    this.#sayDontHave(want);
  }

  #sayDontHave(want: PeerWant): void {
    if (!want.sendDontHave || want.saidDontHave) return;
    want.saidDontHave = true;
    this.#presences.push({ want, have: false });
  }

  /** Takes wants from the queue until the message is full, and reserves credit for them. */
  #fill(): Shipment {
    const target = this.#context.limits.messageTargetBytes;
    const wants: PeerWant[] = [];
    let bytes = 0;
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      const size = next.size ?? 0;
      if (bytes > 0 && bytes + size > target) break;
      this.#queue.pop();
      if (!this.#isQueued(next)) continue;
      this.wants.setState(next, 'loading');
      wants.push(next);
      bytes += size;
    }
    if (wants.length === 0) return { wants, bytes: 0, reservations: [] };
    const { granted, refused, reservations } = this.#credit.reserve(wants);
    for (const want of refused) {
      this.#refuse(want);
      bytes -= want.size ?? 0;
    }
    return { wants: granted, bytes, reservations };
  }

  #sendPresences(): void {
    const presences = this.#takePresences();
    if (presences.length === 0) return;
    // A lost presence is not worth a retry: the peer reads silence as DONT_HAVE and asks elsewhere.
    this.#lane.send(encodeFrame({ presences })).catch(() => undefined);
  }

  #takePresences(): PresenceToSend[] {
    const taken = this.#presences.splice(0, PRESENCES_MAX);
    if (!this.#dialect.presences) return [];
    const presences: PresenceToSend[] = [];
    for (const { want, have } of taken) {
      // Cancelled, or, for a DONT_HAVE, found after all.
      if (!this.wants.holds(want) || (!have && want.state !== 'missing' && want.state !== 'refused')) continue;
      presences.push({ cid: want.cidBytes, have });
      // A HAVE answers a want-have for good. A want-block that was refused and is now announced lives on.
      if (have && want.wantHave) this.wants.remove(want);
    }
    return presences;
  }
}

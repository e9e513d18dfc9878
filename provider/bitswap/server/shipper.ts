import type { Reservation } from '../../ledger/types.ts';
import { encodePrefix } from '../cid.ts';
import type { Dialect, Link } from '../net/network.ts';
import { DeliveryError, type Outbound } from '../net/outbound.ts';
import { type BlockToSend, encodeFrame, type PresenceToSend } from '../wire/encode.ts';
import type { CreditGate } from './credit-gate.ts';
import type { PeerWant, PeerWants } from './peer-wants.ts';
import type { ServerContext, Task } from './types.ts';

/** The blocks of one message, with the credit that is set aside for them. */
export interface Shipment {
  wants: PeerWant[];
  bytes: number;
  reservations: Reservation[];
}

export interface ShipperEvents {
  /** A block is gone from the store since it was looked up. */
  onMissing(want: PeerWant): void;
  /** A block did not get out; it may be tried again. */
  onRetry(want: PeerWant): void;
  /** Presences that travel along with the blocks. */
  takePresences(): PresenceToSend[];
}

const FAILURES_MAX = 3;

/** The stream for blocks; while it is being opened, the one for wants, when that is open already. */
export async function readyLane({ control, data }: Link): Promise<Outbound> {
  const opening = data.ready();
  if (data.isOpen || !control.isOpen) {
    await opening;
    return data;
  }
  opening.catch(() => undefined);
  return control;
}

/** Carries shipments to one peer: waits for room in memory, loads, sends, and settles when the connection took them. */
export class Shipper {
  readonly #link: Link;
  readonly #context: ServerContext;
  readonly #credit: CreditGate;
  readonly #wants: PeerWants;
  readonly #events: ShipperEvents;
  readonly #stop: AbortSignal;
  #outstanding = 0;
  #wake: (() => void) | undefined;

  constructor(
    parts: { link: Link; context: ServerContext; credit: CreditGate; wants: PeerWants; stop: AbortSignal },
    events: ShipperEvents,
  ) {
    this.#link = parts.link;
    this.#context = parts.context;
    this.#credit = parts.credit;
    this.#wants = parts.wants;
    this.#stop = parts.stop;
    this.#events = events;
  }

  /** Resolves when the shipment is handed to the stream, or has failed; not when it has arrived. */
  async ship(shipment: Shipment, dialect: Dialect, first: Task): Promise<void> {
    if (!(await this.#makeRoom(shipment, first))) return;
    try {
      const loaded = await this.#load(shipment.wants);
      const lane = await readyLane(this.#link);
      const blocks = this.#pack(shipment.wants, loaded, dialect);
      if (blocks.length === 0) {
        this.#delivered(shipment, blocks);
        return;
      }
      const frame = encodeFrame({ blocks, presences: this.#events.takePresences() });
      lane.send(frame).then(
        () => this.#delivered(shipment, blocks),
        (error: unknown) => this.#failed(shipment, error),
      );
    } catch (error) {
      this.#failed(shipment, error);
    }
  }

  /** Waits until the peer has taken enough of the earlier messages and it is this peer's turn. False: it is gone. */
  async #makeRoom(shipment: Shipment, first: Task): Promise<boolean> {
    const { budget, limits } = this.#context;
    while (this.#outstanding > 0 && this.#outstanding + shipment.bytes > limits.outstandingPerPeerBytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    try {
      this.#stop.throwIfAborted();
      await budget.take(shipment.bytes, first, this.#stop);
      this.#outstanding += shipment.bytes;
      return true;
    } catch {
      this.#credit.abandon(shipment.reservations, 0);
      return false;
    }
  }

  async #load(wants: PeerWant[]): Promise<(Uint8Array | undefined)[]> {
    const results = wants.map((want) => this.#context.blocks.read(want.cid));
    const blocks: (Uint8Array | undefined)[] = [];
    for (const [index, result] of results.entries()) {
      if (!(result instanceof Promise)) {
        blocks[index] = result;
        continue;
      }
      blocks[index] = await result.catch((error: unknown) => {
        this.#context.log?.error('the block store failed while serving %p - %e', this.#link.peer, error);
        return undefined;
      });
    }
    return blocks;
  }

  #pack(wants: PeerWant[], loaded: (Uint8Array | undefined)[], dialect: Dialect): BlockToSend[] {
    const blocks: BlockToSend[] = [];
    for (const [index, want] of wants.entries()) {
      const data = loaded[index];
      if (!this.#wants.holds(want)) continue;
      if (data === undefined) this.#events.onMissing(want);
      else if (dialect.prefixes) blocks.push({ prefix: encodePrefix(want.prefix), data });
      // Bitswap 1.0 has no way to say which CIDv1 a block is.
      else if (want.prefix.version === 0) blocks.push({ prefix: undefined, data });
    }
    return blocks;
  }

  #delivered(shipment: Shipment, blocks: BlockToSend[]): void {
    for (const want of shipment.wants) {
      if (want.state === 'loading') this.#wants.remove(want);
    }
    const bytes = blocks.reduce((sum, { data }) => sum + data.length, 0);
    this.#credit.settle(shipment.reservations, bytes);
    this.#context.onSent(blocks.length, bytes);
    this.#release(shipment.bytes);
  }

  #failed(shipment: Shipment, error: unknown): void {
    this.#credit.abandon(shipment.reservations, error instanceof DeliveryError ? error.spentBytes : 0);
    this.#release(shipment.bytes);
    if (this.#stop.aborted) return;
    this.#context.log?.('could not deliver %d blocks to %p - %e', shipment.wants.length, this.#link.peer, error);
    if (error instanceof DeliveryError && error.isStuck) this.#wants.clear();
    for (const want of shipment.wants) {
      if (!this.#wants.holds(want) || want.state !== 'loading') continue;
      if (++want.failures >= FAILURES_MAX) this.#wants.remove(want);
      else this.#events.onRetry(want);
    }
  }

  #release(bytes: number): void {
    this.#outstanding -= bytes;
    this.#context.budget.give(bytes);
    this.#wake?.();
    this.#wake = undefined;
  }
}

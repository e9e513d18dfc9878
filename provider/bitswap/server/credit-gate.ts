import type { PeerId } from '@libp2p/interface';
import type { Reservation, ScoreLedger } from '../../ledger/types.ts';
import type { PeerWant } from './peer-wants.ts';

/** How soon and how late we look again whether a refused peer has room. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 60_000;
const WAIT_MS_DEFAULT = 1_000;

export interface Grant {
  granted: PeerWant[];
  refused: PeerWant[];
  reservations: Reservation[];
}

/** One peer's credit as the sender needs it: what may be sent now, and a call when something refused may have room. */
export class CreditGate {
  readonly #ledger: ScoreLedger;
  readonly #peer: PeerId;
  readonly #onRoom: () => void;
  /** The smallest amount that was refused. */
  #refusedBytes: number | undefined;
  #waitMs = WAIT_MS_DEFAULT;
  #cancelWait: (() => void) | undefined;

  constructor(ledger: ScoreLedger, peer: PeerId, onRoom: () => void) {
    this.#ledger = ledger;
    this.#peer = peer;
    this.#onRoom = onRoom;
  }

  /** True when the ledger has just refused as much: spares it a question, and us an exception, for each want of a debtor. */
  refuses({ size = 0, promised }: PeerWant): boolean {
    return this.#refusedBytes !== undefined && size >= this.#refusedBytes && !promised;
  }

  /** Sets credit aside: for all wants at once or, when that is too much, for those that there is room for. */
  reserve(wants: PeerWant[]): Grant {
    const total = wants.reduce((sum, want) => sum + (want.size ?? 0), 0);
    const whole = this.#tryReserve(total);
    if (whole !== undefined) return { granted: wants, refused: [], reservations: [whole] };
    const grant: Grant = { granted: [], refused: [], reservations: [] };
    for (const want of wants) {
      const bytes = want.size ?? 0;
      const reservation = this.refuses(want) ? undefined : this.#tryReserve(bytes);
      if (reservation === undefined) {
        grant.refused.push(want);
        this.refuse(bytes);
      } else {
        grant.granted.push(want);
        grant.reservations.push(reservation);
      }
    }
    return grant;
  }

  /** Bytes that the peer could be sent now. */
  room(): number {
    const { limit, balance, reserved } = this.#ledger.getAccount(this.#peer);
    return limit - balance - reserved;
  }

  /** Refuses this much from now on, until time or the peer's own deliveries have made room. */
  refuse(bytes: number): void {
    const smaller = this.#refusedBytes === undefined || bytes < this.#refusedBytes;
    if (!smaller) return;
    this.#refusedBytes = bytes;
    this.#cancelWait?.();
    this.#cancelWait = this.#ledger.onRoom?.(this.#peer, bytes, () => this.credited()) ?? this.#wait();
  }

  /** The account may have changed for the better. */
  credited(): void {
    if (this.#refusedBytes === undefined) return;
    this.#refusedBytes = undefined;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#onRoom();
  }

  /** Debits what was sent and releases the rest. */
  settle(reservations: Reservation[], sentBytes: number): void {
    this.#share(reservations, sentBytes, (reservation, bytes) => {
      // A ledger that cannot write has its own way to say so; the exchange of blocks goes on.
      this.#ledger.settle(reservation, bytes).catch(() => undefined);
    });
  }

  abandon(reservations: Reservation[], spentBytes: number): void {
    this.#share(reservations, spentBytes, (reservation, bytes) => this.#ledger.abandon(reservation, bytes));
  }

  close(): void {
    this.#cancelWait?.();
  }

  #share(reservations: Reservation[], bytes: number, end: (reservation: Reservation, bytes: number) => void): void {
    for (const reservation of reservations) {
      const part = Math.min(bytes, reservation.amount);
      bytes -= part;
      end(reservation, part);
    }
  }

  #wait(): () => void {
    const timer = setTimeout(() => this.credited(), Math.min(Math.max(this.#waitMs, RETRY_MS_MIN), RETRY_MS_MAX));
    timer.unref();
    return () => clearTimeout(timer);
  }

  /** Undefined when the ledger refuses: for lack of credit, or because it cannot write. */
  #tryReserve(bytes: number): Reservation | undefined {
    try {
      return this.#ledger.reserve(this.#peer, bytes, 'blocks');
    } catch (error) {
      // null: time alone never makes room.
      const waitMs = error instanceof Error && 'waitMs' in error ? error.waitMs : WAIT_MS_DEFAULT;
      this.#waitMs = typeof waitMs === 'number' ? waitMs : RETRY_MS_MAX;
      return undefined;
    }
  }
}

import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { cidText, sealStorageReceipt } from '../../sdk/protocol/index.ts';
import { OverCreditError, type Reservation, type ScoreLedger } from '../ledger/index.ts';
import { PinError } from './errors.ts';
import type { PinningLimits } from './limits.ts';
import type { Pin } from './types.ts';

export interface PaymentsInit {
  scoreLedger: ScoreLedger;
  privateKey: PrivateKey;
  /** Owners that pay nothing. */
  isFree: (owner: string) => boolean;
  limits: Pick<PinningLimits, 'storagePriceBytes' | 'prepaidMs'>;
}

const GIB = 2 ** 30;
const MIB = 2 ** 20;
/** What an owner needs credit for before anything is known of a DAG's size, and in what steps more is set aside. */
const STEP_BYTES = 4 * MIB;

/** What it costs to keep so many bytes for so long. */
export function storagePriceOf(bytes: number, ms: number, storagePriceBytes: number): number {
  return Math.ceil((bytes / GIB) * (ms / 1000) * storagePriceBytes);
}

/** The price of a DAG while it comes: set aside as it grows, so that nobody has more fetched than he can pay for. */
export interface Hold {
  /** @throws PinError INSUFFICIENT_FUNDS */
  grow(bytes: number): void;
  release(): void;
}

/**
 * Storage is paid in advance, from the same account as blocks and jobs: so what an owner serves us, its own DAG before all,
 * pays for keeping it.
 */
export class Payments {
  readonly #init: PaymentsInit;

  constructor(init: PaymentsInit) {
    this.#init = init;
  }

  isFree(owner: string): boolean {
    return this.#init.isFree(owner);
  }

  priceOf(bytes: number): number {
    const { storagePriceBytes, prepaidMs } = this.#init.limits;
    return storagePriceOf(bytes, prepaidMs, storagePriceBytes);
  }

  /** Whether the owner could pay for a DAG of at least `bytes`. @throws PinError INSUFFICIENT_FUNDS */
  check(owner: string, bytes = STEP_BYTES): void {
    if (this.isFree(owner)) return;
    const { scoreLedger } = this.#init;
    scoreLedger.abandon(this.#reserve(owner, this.priceOf(bytes)), 0);
  }

  hold(owner: string): Hold {
    const { scoreLedger } = this.#init;
    const held: Reservation[] = [];
    let coveredBytes = 0;
    return {
      grow: (bytes) => {
        if (this.isFree(owner)) return;
        while (bytes > coveredBytes) {
          const next = coveredBytes + STEP_BYTES;
          held.push(this.#reserve(owner, this.priceOf(next) - this.priceOf(coveredBytes)));
          coveredBytes = next;
        }
      },
      release() {
        for (const reservation of held.splice(0)) scoreLedger.abandon(reservation, 0);
      },
    };
  }

  /**
   * Charges the next period of a pin: one line in the ledger, with a signed receipt. `write` keeps the pin as it is then,
   * and comes first: a crash between the two forgets the price of one period, and never takes it twice. When the ledger
   * refuses, it is called without a pin, to take that back.
   * @throws PinError INSUFFICIENT_FUNDS; StoreError
   */
  async charge(pin: Pin, fromMs: number, write: (paid: Pin | undefined) => void): Promise<void> {
    const { scoreLedger, privateKey, limits } = this.#init;
    const { id, root, bytes, owner } = pin;
    const untilMs = fromMs + limits.prepaidMs;
    const priceBytes = this.priceOf(bytes);
    const { cid, bytes: receipt } = await sealStorageReceipt(
      { consumer: owner, pin: id, root, bytes, fromMs, untilMs, priceBytes },
      privateKey,
    );
    const reservation = this.#reserve(owner, priceBytes);
    write({ ...pin, paidUntilMs: untilMs, paidBytes: pin.paidBytes + priceBytes, receipt });
    try {
      await scoreLedger.settle(reservation, priceBytes, { cid: cidText(cid), bytes: receipt });
    } catch (error) {
      write(undefined);
      throw error;
    }
  }

  #reserve(owner: string, priceBytes: number): Reservation {
    try {
      return this.#init.scoreLedger.reserve(peerIdFromString(owner), priceBytes, 'work');
    } catch (error) {
      if (error instanceof OverCreditError) throw new PinError('INSUFFICIENT_FUNDS', error.message, error);
      throw error;
    }
  }
}

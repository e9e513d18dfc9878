import type { PeerId } from '@libp2p/interface';

import type { AccountEntry } from './account.ts';
import { LedgerError } from './errors.ts';
import type { Kind, Reservation } from './types.ts';

/** Room set aside in one account of one ledger. */
export class LedgerReservation implements Reservation {
  readonly peer: PeerId;
  readonly kind: Kind;
  readonly amount: number;
  readonly #entry: AccountEntry;
  #owner: object | undefined;

  constructor(peer: PeerId, kind: Kind, amount: number, entry: AccountEntry, owner: object) {
    this.peer = peer;
    this.kind = kind;
    this.amount = amount;
    this.#entry = entry;
    this.#owner = owner;
  }

  /**
   * The account of an open reservation that this ledger made.
   * @throws LedgerError RESERVATION_CLOSED
   */
  static entryOf(reservation: Reservation, owner: object): AccountEntry {
    if (reservation instanceof LedgerReservation && reservation.#owner === owner) return reservation.#entry;
    throw new LedgerError(
      'RESERVATION_CLOSED',
      `This reservation of ${reservation.amount} bytes was settled or abandoned before, or belongs to another ledger.`,
    );
  }

  static close(reservation: Reservation): void {
    if (reservation instanceof LedgerReservation) reservation.#owner = undefined;
  }
}

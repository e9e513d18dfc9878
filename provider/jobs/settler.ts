import type { PeerId, PrivateKey } from '@libp2p/interface';
import { RECEIPTS_PER_BATCH_MAX, cidText, sealReceipts } from '../../sdk/protocol/index.ts';
import type { Receipt, SealedReceipt } from '../../sdk/protocol/index.ts';
import type { Reservation, ScoreLedger } from '../ledger/index.ts';

/** With one at a time, both ends would wait for each other's disk in turn; with many, batches would be too small. */
const BATCHES_UNDER_WAY_MAX = 2;
/** Of them a repeated update is answered without being paid. */
const UNBOOKED_MAX = 10_000;

interface Finished {
  /** Undefined for a job of the provider itself: its receipt is signed, and no account changes. */
  reservation: Reservation | undefined;
  receipt: Receipt;
  resolve: (sealed: SealedReceipt) => void;
  reject: (error: unknown) => void;
}

/**
 * Settles and signs finished jobs in batches: one Ed25519 signature over the Merkle root of their receipts, one ledger
 * transaction for all accounts and receipts. A job's promise resolves only when its own receipt is durable, so nothing
 * is delivered that a crash could take back.
 *
 * A lone job never waits. Under load, jobs that finish while enough batches are on their way to the disk form the next
 * one: it grows until it is worth its signature and its write.
 */
export class Settler {
  readonly #ledger: ScoreLedger;
  readonly #key: PrivateKey;
  #queue: Finished[] = [];
  #unsealed: { receipt: Receipt; sealed: PromiseWithResolvers<SealedReceipt> }[] = [];
  /** Signed and not booked, since the ledger refused. */
  readonly #unbooked = new Set<string>();
  #scheduled = false;
  #underWay = 0;

  constructor(ledger: ScoreLedger, key: PrivateKey) {
    this.#ledger = ledger;
    this.#key = key;
  }

  settle(reservation: Reservation | undefined, receipt: Receipt): Promise<SealedReceipt> {
    const { promise, resolve, reject } = Promise.withResolvers<SealedReceipt>();
    this.#queue.push({ reservation, receipt, resolve, reject });
    this.#schedule();
    return promise;
  }

  /** Signs only, all that are asked for in one turn together: for a receipt that has to be kept before it is booked. */
  seal(receipt: Receipt): Promise<SealedReceipt> {
    const sealed = Promise.withResolvers<SealedReceipt>();
    if (this.#unsealed.push({ receipt, sealed }) === 1) queueMicrotask(() => this.#sealAll());
    return sealed.promise;
  }

  /** Books the receipt of an update, whose answer is kept: when the ledger refuses now, it is booked before it is given again. */
  async bookUpdate(reservation: Reservation | undefined, sealed: SealedReceipt): Promise<void> {
    if (reservation === undefined) return;
    try {
      await this.#book(reservation, sealed);
    } catch (error) {
      if (this.#unbooked.size < UNBOOKED_MAX) this.#unbooked.add(cidText(sealed.cid));
      throw error;
    }
  }

  /**
   * Books a receipt that was kept, and is given again, should it not be booked yet.
   *
   * @param isEarlier it was kept by an earlier process, so a crash may have come before it was booked
   * @throws OverCreditError
   */
  async bookKept(payer: PeerId, sealed: SealedReceipt, isEarlier: boolean): Promise<void> {
    const cid = cidText(sealed.cid);
    const { receipts } = this.#ledger;
    if (receipts === undefined || !(isEarlier || this.#unbooked.has(cid))) return;
    if (receipts.get(cid) === undefined) {
      await this.bookUpdate(this.#ledger.reserve(payer, sealed.receipt.priceBytes, 'work'), sealed);
    }
    this.#unbooked.delete(cid);
  }

  #sealAll(): void {
    while (this.#unsealed.length > 0) {
      const batch = this.#unsealed.splice(0, RECEIPTS_PER_BATCH_MAX);
      try {
        const all = sealReceipts(
          batch.map(({ receipt }) => receipt),
          this.#key,
        );
        for (const [i, { sealed }] of batch.entries()) sealed.resolve(all[i]!);
      } catch (error) {
        for (const { sealed } of batch) sealed.reject(error);
      }
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#underWay >= BATCHES_UNDER_WAY_MAX || this.#queue.length === 0) return;
    this.#scheduled = true;
    // Jobs of one worker's answer finish in the same turn of the event loop.
    setImmediate(async () => {
      this.#scheduled = false;
      this.#underWay++;
      await this.#settleBatch(this.#queue.splice(0, RECEIPTS_PER_BATCH_MAX));
      this.#underWay--;
      this.#schedule();
    });
  }

  async #settleBatch(batch: Finished[]): Promise<void> {
    let sealed: SealedReceipt[];
    try {
      sealed = sealReceipts(
        batch.map(({ receipt }) => receipt),
        this.#key,
      );
    } catch (error) {
      // Nothing was delivered and nothing is booked: the provider's fault is not the consumer's debt.
      for (const job of batch) {
        if (job.reservation !== undefined) this.#ledger.abandon(job.reservation, 0);
        job.reject(error);
      }
      return;
    }
    await Promise.all(
      batch.map(({ reservation, ...job }, i) => {
        if (reservation === undefined) return job.resolve(sealed[i]!);
        return this.#book(reservation, sealed[i]!).then(() => job.resolve(sealed[i]!), job.reject);
      }),
    );
  }

  async #book(reservation: Reservation, { cid, bytes, receipt }: SealedReceipt): Promise<void> {
    await this.#ledger.settle(reservation, receipt.priceBytes, { cid: cidText(cid), bytes });
  }
}

import type { PrivateKey } from '@libp2p/interface';
import { RECEIPTS_PER_BATCH_MAX, sealReceipts } from '../../sdk/protocol/index.ts';
import type { Receipt, SealedReceipt } from '../../sdk/protocol/index.ts';
import type { Reservation, ScoreLedger } from '../ledger/index.ts';

interface Finished {
  reservation: Reservation;
  receipt: Receipt;
  resolve: (sealed: SealedReceipt) => void;
  reject: (error: unknown) => void;
}

/**
 * Settles and signs finished jobs in batches: one Ed25519 signature over the Merkle root of their receipts, one ledger
 * transaction for all accounts and receipts. A job's promise resolves only when its own receipt is durable, so nothing
 * is delivered that a crash could take back.
 *
 * Jobs that finish while a batch is on its way to the disk form the next one: a lone job never waits, and under load a
 * batch grows until it is worth its signature and its write to the disk.
 */
export class Settler {
  readonly #ledger: ScoreLedger;
  readonly #key: PrivateKey;
  #queue: Finished[] = [];
  #busy = false;

  constructor(ledger: ScoreLedger, key: PrivateKey) {
    this.#ledger = ledger;
    this.#key = key;
  }

  settle(reservation: Reservation, receipt: Receipt): Promise<SealedReceipt> {
    const { promise, resolve, reject } = Promise.withResolvers<SealedReceipt>();
    this.#queue.push({ reservation, receipt, resolve, reject });
    if (!this.#busy) {
      this.#busy = true;
      // Jobs of one worker's answer finish in the same turn of the event loop.
      setImmediate(() => void this.#drain());
    }
    return promise;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#settleBatch(this.#queue.splice(0, RECEIPTS_PER_BATCH_MAX));
    this.#busy = false;
  }

  async #settleBatch(batch: Finished[]): Promise<void> {
    let sealed: SealedReceipt[];
    try {
      sealed = await sealReceipts(
        batch.map(({ receipt }) => receipt),
        this.#key,
      );
    } catch (error) {
      // Nothing was delivered and nothing is booked: the provider's fault is not the consumer's debt.
      for (const job of batch) {
        this.#ledger.abandon(job.reservation, 0);
        job.reject(error);
      }
      return;
    }
    await Promise.all(
      batch.map(async (job, i) => {
        const { cid, bytes, receipt } = sealed[i]!;
        try {
          await this.#ledger.settle(job.reservation, receipt.priceBytes, { cid: cid.toString(), bytes });
          job.resolve(sealed[i]!);
        } catch (error) {
          job.reject(error);
        }
      }),
    );
  }
}

import type { PrivateKey } from '@libp2p/interface';
import { BATCH_SIZE_MAX, sealReceipts } from '../../sdk/protocol/index.ts';
import type { Receipt, SealedReceipt } from '../../sdk/protocol/index.ts';
import type { Reservation, ScoreLedger } from '../ledger/index.ts';

interface Finished {
  reservation: Reservation;
  receipt: Receipt;
  resolve: (sealed: SealedReceipt) => void;
  reject: (error: unknown) => void;
}

/**
 * Settles and signs the jobs that finished in one turn of the event loop together: one Ed25519 signature over the
 * Merkle root of their receipts, one ledger transaction for all accounts and receipts. A job's promise resolves only
 * when its own receipt is durable, so nothing is delivered that a crash could take back.
 */
export class Settler {
  readonly #ledger: ScoreLedger;
  readonly #key: PrivateKey;
  #queue: Finished[] = [];
  #scheduled = false;
  #signing = false;

  constructor(ledger: ScoreLedger, key: PrivateKey) {
    this.#ledger = ledger;
    this.#key = key;
  }

  settle(reservation: Reservation, receipt: Receipt): Promise<SealedReceipt> {
    const { promise, resolve, reject } = Promise.withResolvers<SealedReceipt>();
    this.#queue.push({ reservation, receipt, resolve, reject });
    this.#schedule();
    return promise;
  }

  #schedule(): void {
    if (this.#scheduled || this.#signing || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#queue.splice(0, BATCH_SIZE_MAX);
    this.#signing = true;
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
    } finally {
      this.#signing = false;
      this.#schedule();
    }
    for (const [i, job] of batch.entries()) {
      const { cid, bytes, receipt } = sealed[i]!;
      this.#ledger
        .settle(job.reservation, receipt.priceBytes, { cid: cid.toString(), bytes })
        .then(() => job.resolve(sealed[i]!), job.reject);
    }
  }
}

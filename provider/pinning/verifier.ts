import type { CID } from 'multiformats/cid';
import { linkKind, linksOf, walkDag, type FastBlockstore } from '../store/index.ts';
import type { Pin } from './types.ts';

/** What hashing all blocks of a pin again has found so far. */
export interface Verification {
  isRunning: boolean;
  blocks: number;
  bytes: number;
  /** Blocks that are not here, and such whose bytes were others: these are removed. The first of each. */
  missing: string[];
  corrupt: string[];
}

const READS_MAX = 8;
const LISTED_MAX = 100;
const RESULTS_KEPT_MAX = 100;

/** Reads every block of a pin from the disk and hashes it, whatever was known of it. */
export class Verifier {
  readonly #blockstore: FastBlockstore;
  readonly #onDone: (pin: Pin, result: Verification) => void;
  readonly #results = new Map<string, Verification>();
  readonly #stop = new AbortController();

  constructor(blockstore: FastBlockstore, onDone: (pin: Pin, result: Verification) => void) {
    this.#blockstore = blockstore;
    this.#onDone = onDone;
  }

  /** What runs for this pin, or was found last. */
  result(id: string): Verification | undefined {
    return this.#results.get(id);
  }

  start(pin: Pin): Verification {
    const running = this.#results.get(pin.id);
    if (running?.isRunning === true) return running;
    const result: Verification = { isRunning: true, blocks: 0, bytes: 0, missing: [], corrupt: [] };
    this.#results.delete(pin.id);
    this.#results.set(pin.id, result);
    if (this.#results.size > RESULTS_KEPT_MAX) this.#results.delete(this.#results.keys().next().value!);
    void this.#run(pin, result);
    return result;
  }

  stop(): void {
    this.#stop.abort(new Error('The node is stopping'));
  }

  async #run(pin: Pin, result: Verification): Promise<void> {
    const { signal } = this.#stop;
    const visit = async (cid: CID): Promise<Iterable<CID>> => {
      // What is in the CID itself needs no disk.
      const bytes = cid.multihash.code === 0 ? cid.multihash.digest : await this.#blockstore.check(cid);
      if (typeof bytes === 'string') {
        if (result[bytes].length < LISTED_MAX) result[bytes].push(cid.toString());
        return [];
      }
      result.blocks++;
      result.bytes += bytes.length;
      return linkKind(cid) === 'node' ? linksOf(cid, bytes) : [];
    };
    try {
      await walkDag([pin.root], { visit, parallel: () => READS_MAX, signal });
      this.#onDone(pin, result);
    } catch {
      // The node is stopping, or the disk does not answer: then nothing was found out.
      this.#results.delete(pin.id);
    } finally {
      result.isRunning = false;
    }
  }
}

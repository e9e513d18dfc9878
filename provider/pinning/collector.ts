import type { CID } from 'multiformats/cid';
import {
  BlockQuota,
  collectGarbage,
  isCollectable,
  type CollectableBlocks,
  type Collected,
  type FastBlockstore,
} from '../store/index.ts';
import { PinError } from './errors.ts';

export interface CollectorInit {
  blockstore: FastBlockstore;
  /** Everything that has to stay: of pins, and of the other rooms. */
  roots: () => Iterable<CID>;
  /** 0: the store takes as much as the disk has, and nothing is collected unless somebody asks. */
  storeBytesMax: number;
  freshMs: number;
  onError: (error: unknown) => void;
}

export interface Collection extends Collected {
  isRunning: boolean;
  dryRun: boolean;
  startedMs: number;
  endedMs?: number;
  error?: string;
}

const CHECK_MS = 10_000;
/** Between two collections that nobody asked for: one that frees nothing is not repeated at once. */
const PAUSE_MS = 600_000;

/** Collects what nothing refers to: when somebody asks, and when the quota is nearly used up. One at a time. */
export class Collector {
  readonly quota: BlockQuota | undefined;
  readonly #init: CollectorInit;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #last: Collection | undefined;
  /** The collection that runs or, while a count runs that is to be followed by a collection, both. */
  #running: { dryRun: boolean; ended: Promise<Collection> } | undefined;

  constructor(init: CollectorInit) {
    this.#init = init;
    const { blockstore, storeBytesMax } = init;
    if (storeBytesMax > 0 && isCollectable(blockstore)) this.quota = new BlockQuota(blockstore, storeBytesMax);
  }

  start(): void {
    if (this.quota === undefined) return;
    this.quota.counted().catch(this.#init.onError);
    this.#timer = setInterval(() => this.#check(), CHECK_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort(new Error('The node is stopping'));
    await this.#running?.ended;
  }

  get last(): Collection | undefined {
    return this.#last;
  }

  /** A collection, or the one that runs. After a dry run a real one begins anew. @throws PinError GC_UNSUPPORTED */
  collect({ dryRun = false }: { dryRun?: boolean } = {}): Promise<Collection> {
    const { blockstore } = this.#init;
    if (!isCollectable(blockstore)) {
      throw new PinError('GC_UNSUPPORTED', 'Blocks in memory are not collected; they go with the process.');
    }
    const before = this.#running;
    if (before !== undefined && (dryRun || !before.dryRun)) return before.ended;
    const collection = (): Promise<Collection> => this.#collect(blockstore, dryRun);
    const ended = (before === undefined ? collection() : before.ended.then(collection)).finally(() => {
      if (this.#running?.ended === ended) this.#running = undefined;
    });
    this.#running = { dryRun, ended };
    return ended;
  }

  async #collect(blocks: CollectableBlocks, dryRun: boolean): Promise<Collection> {
    const { roots, freshMs, onError } = this.#init;
    const so: Collection = {
      marked: 0,
      kept: 0,
      removed: 0,
      removedBytes: 0,
      isRunning: true,
      dryRun,
      startedMs: Date.now(),
    };
    this.#last = so;
    try {
      const done = await collectGarbage({
        blocks,
        roots,
        freshMs,
        dryRun,
        signal: this.#stop.signal,
        onProgress: (now) => void Object.assign(so, now),
      });
      Object.assign(so, done);
    } catch (error) {
      so.error = String(error);
      if (!this.#stop.signal.aborted) onError(error);
    }
    if (!dryRun && !this.#stop.signal.aborted) await this.quota?.recount().catch(onError);
    so.isRunning = false;
    so.endedMs = Date.now();
    return so;
  }

  #check(): void {
    const sinceMs = Date.now() - (this.#last?.endedMs ?? 0);
    if (this.quota?.isHigh === true && sinceMs > PAUSE_MS) this.collect().catch(this.#init.onError);
  }
}

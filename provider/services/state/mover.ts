import type { CID } from 'multiformats/cid';
import { cidOfKey, type Database } from '../../store/index.ts';
import type { StateLimits } from './limits.ts';

const ROWS_AT_ONCE = 64;
const RETRY_MS = 1_000;

export type StoreBlock = (cid: CID, bytes: Uint8Array) => Promise<void>;

interface Moved {
  id: number;
  bytes: number;
  timeMs: number;
}

/**
 * Brings blocks from the journal into the block store, behind everybody's back. The block store writes files without a
 * sync, so a block stays in the journal for a while after that; a restart moves all that are there once more, and so
 * heals what a power cut tore.
 */
export class Mover {
  readonly #store: StoreBlock;
  readonly #limits: StateLimits;
  readonly #onError: (error: unknown) => void;
  readonly #select: ReturnType<Database['sqlite']['prepare']>;
  #newest: number;
  #movedTo = 0;
  #moved: Moved[] = [];
  #movedBytes = 0;
  #waitingBytes: number;
  #moving: Promise<void> | undefined;
  #closed = false;
  #idleTimer: NodeJS.Timeout | undefined;
  /** When the first of those that wait came. */
  #waitingSinceMs: number | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #waiters: { isDone: () => boolean; resolve: () => void }[] = [];

  constructor(database: Database, store: StoreBlock, limits: StateLimits, onError: (error: unknown) => void) {
    this.#store = store;
    this.#limits = limits;
    this.#onError = onError;
    const { sqlite } = database;
    this.#select = sqlite.prepare('SELECT id, cid, bytes FROM journal WHERE id > ? ORDER BY id LIMIT ?');
    const found = sqlite.prepare('SELECT max(id) AS id, sum(length(bytes)) AS bytes FROM journal').get();
    this.#newest = Number(found?.['id'] ?? 0);
    this.#waitingBytes = Number(found?.['bytes'] ?? 0);
    this.#start();
  }

  /** Rows up to `newest` are in the journal now. */
  added(newest: number, bytes: number): void {
    if (bytes === 0) return;
    this.#newest = newest;
    this.#waitingBytes += bytes;
    this.#schedule();
  }

  /** The newest row that need not be in the journal any more; undefined when all need to be. */
  takeDone(nowMs: number): number | undefined {
    let done: number | undefined;
    for (let first = this.#moved[0]; first !== undefined; first = this.#moved[0]) {
      const isOld = first.timeMs <= nowMs - this.#limits.journalKeepMs;
      if (!isOld && this.#movedBytes <= this.#limits.journalKeepBytesMax) break;
      this.#moved.shift();
      this.#movedBytes -= first.bytes;
      done = first.id;
    }
    return done;
  }

  get hasRoom(): boolean {
    return this.#waitingBytes <= this.#limits.journalBytesMax;
  }

  /** Resolves when there is room for more blocks in the journal, or it is closed. */
  room(): Promise<void> {
    return this.#until(() => this.hasRoom);
  }

  /** Resolves when everything that is in the journal now is in the block store. */
  flush(): Promise<void> {
    const target = this.#newest;
    this.#start();
    return this.#until(() => this.#movedTo >= target);
  }

  /** Resolves when it has stopped. */
  async idle(): Promise<void> {
    await this.#moving;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#idleTimer);
    this.#wake();
  }

  #until(isDone: () => boolean): Promise<void> {
    if (isDone() || this.#closed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ isDone, resolve });
    return promise;
  }

  #wake(): void {
    this.#waiters = this.#waiters.filter(({ isDone, resolve }) => {
      const isReady = this.#closed || isDone();
      if (isReady) resolve();
      return !isReady;
    });
  }

  /**
   * New files make every sync of the database slower, since the file system then syncs their names as well. So they are
   * written when no commits are, or when they have waited long enough.
   */
  #schedule(): void {
    const { moveIdleMs, moveWaitMsMax, moveWaitBytesMax } = this.#limits;
    const nowMs = performance.now();
    if (this.#moving !== undefined || this.#closed) return;
    this.#waitingSinceMs ??= nowMs;
    if (this.#waitingBytes > moveWaitBytesMax || nowMs - this.#waitingSinceMs > moveWaitMsMax) {
      this.#start();
      return;
    }
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#start(), moveIdleMs).unref();
  }

  #start(): void {
    if (this.#moving !== undefined || this.#closed || this.#retryTimer !== undefined || this.#movedTo >= this.#newest)
      return;
    clearTimeout(this.#idleTimer);
    this.#waitingSinceMs = undefined;
    this.#moving = this.#move()
      .catch((error: unknown) => {
        this.#onError(error);
        if (this.#closed) return;
        this.#retryTimer = setTimeout(() => {
          this.#retryTimer = undefined;
          this.#start();
        }, RETRY_MS).unref();
      })
      .finally(() => {
        this.#moving = undefined;
        this.#wake();
        if (this.#waiters.length > 0) this.#start();
        else if (this.#movedTo < this.#newest) this.#schedule();
      });
  }

  async #move(): Promise<void> {
    const target = this.#newest;
    while (this.#movedTo < target && !this.#closed) {
      const rows = this.#select.all(this.#movedTo, ROWS_AT_ONCE);
      if (rows.length === 0) this.#movedTo = target;
      const puts = rows.map(async (row) => {
        const key = Buffer.from(row['cid'] as Uint8Array).toString('latin1');
        await this.#store(cidOfKey(key), row['bytes'] as Uint8Array);
      });
      await Promise.all(puts);
      let bytes = 0;
      for (const row of rows) bytes += (row['bytes'] as Uint8Array).length;
      this.#waitingBytes -= bytes;
      const last = rows.at(-1);
      if (last !== undefined) {
        this.#movedTo = Number(last['id']);
        this.#moved.push({ id: this.#movedTo, bytes, timeMs: Date.now() });
        this.#movedBytes += bytes;
      }
      this.#wake();
    }
  }
}

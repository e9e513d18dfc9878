import { peerIdFromString } from '@libp2p/peer-id';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { fetchPin, type FetchRooms } from './fetch-pin.ts';
import type { Payments } from './payments.ts';
import type { PinTable } from './table.ts';
import type { Pin } from './types.ts';

export interface SchedulerInit extends FetchRooms {
  table: PinTable;
  payments: Payments;
  onError: (error: unknown) => void;
}

/** A pin that is being fetched. */
interface Fetch {
  pin: Pin;
  startedMs: number;
  blocks: number;
  bytes: number;
  abort: AbortController;
  ended: Promise<void>;
}

/** A fetch waits for at least so many blocks, however many others there are. */
const AHEAD_MIN = 8;
/** Timers cannot wait longer than 24 days. */
const TIMER_MS_MAX = 24 * 3_600_000;

class TurnOver extends Error {}

/**
 * Fetches what is to be pinned: so many at once, of each owner in turn. Who has many pins, or pins that nobody has, makes
 * nobody wait: places go to the owner that has the fewest, and a fetch that others wait for gives its place away after its
 * turn. What failed is tried again at growing intervals, or as soon as its owner connects.
 */
export class PinScheduler {
  readonly #init: SchedulerInit;
  readonly #fetches = new Map<string, Fetch>();
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  #isPlanned = false;

  constructor(init: SchedulerInit) {
    this.#init = init;
  }

  start(): void {
    this.#isRunning = true;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    const fetches = [...this.#fetches.values()];
    for (const { abort } of fetches) abort.abort(new TurnOver());
    await Promise.all(fetches.map(({ ended }) => ended));
  }

  /** Something is due, or a place is free. */
  wake(): void {
    if (this.#isPlanned || !this.#isRunning) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      if (!this.#isRunning) return;
      try {
        this.#plan();
      } catch (error) {
        this.#pause(error);
      }
    });
  }

  /** The table could not be written, as on a full disk: what it says is still to be done is tried again after a while. */
  #pause(error: unknown): void {
    const { onError, limits } = this.#init;
    onError(error);
    clearTimeout(this.#timer);
    if (this.#isRunning) this.#timer = setTimeout(() => this.wake(), limits.retryMsMin).unref();
  }

  /** The pin is gone: nothing more is fetched for it. */
  cancel(id: string): void {
    this.#fetches.get(id)?.abort.abort(new TurnOver());
  }

  /** The pin as it stands now. */
  live(pin: Pin): Pin {
    const fetch = this.#fetches.get(pin.id);
    if (fetch === undefined) return pin;
    const { blocks, bytes } = fetch;
    return { ...pin, blocks: Math.max(blocks, pin.blocks), bytes: Math.max(bytes, pin.bytes) };
  }

  #plan(): void {
    const { table, limits } = this.#init;
    const nowMs = Date.now();
    clearTimeout(this.#timer);
    const isFree = (): boolean => this.#fetches.size < limits.fetchesMax;
    let due = table.due(nowMs, this.#fetches.keys());
    while (due.length > 0 && isFree()) {
      const busy = new Map<string, number>();
      for (const { pin } of this.#fetches.values()) busy.set(pin.owner, (busy.get(pin.owner) ?? 0) + 1);
      const [first] = due.toSorted(
        (a, b) => (busy.get(a.owner) ?? 0) - (busy.get(b.owner) ?? 0) || a.nextMs - b.nextMs,
      );
      this.#begin(table.get(first!.id)!, nowMs);
      due = table.due(nowMs, this.#fetches.keys());
    }
    if (due.length > 0) this.#endTurns(nowMs);
    const nextMs = due.length > 0 ? nowMs + limits.fetchTurnMs : table.nextDueMs(nowMs);
    if (nextMs === undefined) return;
    this.#timer = setTimeout(() => this.wake(), Math.min(TIMER_MS_MAX, Math.max(1, nextMs - nowMs))).unref();
  }

  /** Somebody waits for a place: who has had one for longest, and for long enough, goes to the end of the line. */
  #endTurns(nowMs: number): void {
    const [oldest] = [...this.#fetches.values()].toSorted((a, b) => a.startedMs - b.startedMs);
    if (oldest !== undefined && nowMs - oldest.startedMs >= this.#init.limits.fetchTurnMs) {
      oldest.abort.abort(new TurnOver());
    }
  }

  #begin(pin: Pin, nowMs: number): void {
    const abort = new AbortController();
    const fetch: Fetch = { pin, startedMs: nowMs, blocks: 0, bytes: 0, abort, ended: Promise.resolve() };
    this.#init.table.change(pin, { status: 'pinning' });
    this.#fetches.set(pin.id, fetch);
    fetch.ended = this.#run(fetch)
      .finally(() => this.#fetches.delete(pin.id))
      .then(
        () => this.wake(),
        (error: unknown) => this.#pause(error),
      );
  }

  async #run(fetch: Fetch): Promise<void> {
    const { pin } = fetch;
    const { table, limits, payments } = this.#init;
    const hold = payments.hold(pin.owner);
    let failure: unknown;
    try {
      await fetchPin(pin.root, this.#init, {
        origins: pin.origins,
        peers: [peerIdFromString(pin.owner)],
        parallel: () => Math.max(AHEAD_MIN, Math.floor(limits.blocksAheadMax / this.#fetches.size)),
        onBlock: (bytes) => {
          fetch.blocks++;
          fetch.bytes += bytes;
          hold.grow(fetch.bytes);
        },
        signal: fetch.abort.signal,
      });
    } catch (error) {
      failure = error;
    } finally {
      hold.release();
    }
    if (failure === undefined) failure = await this.#keep(fetch).catch((error: unknown) => error);
    // It may have been removed, and its row with it.
    const now = table.get(pin.id);
    if (now === undefined) return;
    const nowMs = Date.now();
    const { blocks, bytes } = fetch;
    if (failure === undefined) return;
    if (failure instanceof TurnOver) {
      // The line is in the order of `nextMs`.
      table.change(now, {
        status: 'queued',
        blocks: Math.max(blocks, now.blocks),
        bytes: Math.max(bytes, now.bytes),
        nextMs: nowMs,
      });
    } else {
      this.#failed(now, { blocks, bytes }, failure, nowMs);
    }
  }

  /** All of it is here: from now on it is kept, and paid for. */
  async #keep({ pin: { id }, blocks, bytes }: Fetch): Promise<void> {
    const { table, payments } = this.#init;
    const before = table.get(id);
    if (before === undefined) return;
    const nowMs = Date.now();
    const pin: Pin = { ...withoutFailure(before), status: 'pinned', blocks, bytes, attempts: 0, pinnedMs: nowMs };
    if (payments.isFree(pin.owner) || (pin.paidUntilMs ?? 0) > nowMs) table.change(pin, {});
    else await payments.charge(pin, nowMs, (paid) => table.change(paid ?? before, {}));
  }

  #failed(pin: Pin, counted: { blocks: number; bytes: number }, failure: unknown, nowMs: number): void {
    const { table, limits, onError } = this.#init;
    const isKnown = failure instanceof WorkswapError;
    if (!isKnown) onError(failure);
    const attempts = pin.attempts + 1;
    const error = isKnown
      ? { code: failure.code, message: failure.peerMessage }
      : { code: 'INTERNAL', message: 'The provider failed; its log says why.' };
    const { nextMs: _, ...rest } = pin;
    const pauseMs = Math.min(limits.retryMsMax, limits.retryMsMin * 2 ** Math.min(30, pin.attempts));
    const canHelp = !isKnown || failure.retryable;
    const isGivenUp = !canHelp || nowMs + pauseMs > pin.createdMs + limits.giveUpMs;
    table.change(isGivenUp ? rest : { ...rest, nextMs: nowMs + pauseMs }, {
      status: 'failed',
      attempts,
      error,
      ...counted,
    });
  }
}

function withoutFailure({ nextMs: _next, error: _error, ...pin }: Pin): Pin {
  return pin;
}

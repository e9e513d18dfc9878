/**
 * Shared memory in which main thread and workers agree on who runs which job of a batch. A batch travels in a slot; each
 * of its jobs has a word, which a worker sets from pending to running and the main thread from pending to taken, so that
 * exactly one of them gets it. Words carry the slot's generation: a worker that was stopped cannot touch the next batch.
 */
export const BATCH_MAX = 64;

const WORDS_PER_SLOT = 128;
const WORD_THREAD = 0;
const WORD_CURRENT = 1;
const WORD_JOBS = 8;
/** Byte offset of the start time within a slot; a multiple of eight. */
const OFFSET_STARTED = 8;

const PENDING = 0;
const RUNNING = 1;
const DONE = 2;
const TAKEN = 3;

export class Control {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #times: Float64Array;

  constructor(slots: number | SharedArrayBuffer) {
    this.buffer = typeof slots === 'number' ? new SharedArrayBuffer(slots * WORDS_PER_SLOT * 4) : slots;
    this.#words = new Int32Array(this.buffer);
    this.#times = new Float64Array(this.buffer);
  }

  /** Main thread: all jobs of a new batch are pending. */
  open(slot: number, generation: number, count: number): void {
    const base = slot * WORDS_PER_SLOT;
    Atomics.store(this.#words, base + WORD_THREAD, 0);
    Atomics.store(this.#words, base + WORD_CURRENT, -1);
    for (let i = 0; i < count; i++) Atomics.store(this.#words, base + WORD_JOBS + i, word(generation, PENDING));
  }

  /** Worker: takes a job to run it. False when the main thread took it back. */
  claim(slot: number, generation: number, index: number, threadId: number, nowMs: number): boolean {
    const base = slot * WORDS_PER_SLOT;
    const pending = word(generation, PENDING);
    const running = word(generation, RUNNING);
    if (Atomics.compareExchange(this.#words, base + WORD_JOBS + index, pending, running) !== pending) return false;
    this.#times[(base * 4 + OFFSET_STARTED) / 8] = nowMs;
    Atomics.store(this.#words, base + WORD_THREAD, threadId);
    Atomics.store(this.#words, base + WORD_CURRENT, index);
    return true;
  }

  /** Worker: the job ended. */
  finish(slot: number, generation: number, index: number): void {
    const base = slot * WORDS_PER_SLOT;
    const running = word(generation, RUNNING);
    if (Atomics.compareExchange(this.#words, base + WORD_JOBS + index, running, word(generation, DONE)) === running) {
      Atomics.store(this.#words, base + WORD_CURRENT, -1);
    }
  }

  /** Main thread: takes a job back. False when a worker runs it or has run it. */
  take(slot: number, generation: number, index: number): boolean {
    const pending = word(generation, PENDING);
    const at = slot * WORDS_PER_SLOT + WORD_JOBS + index;
    return Atomics.compareExchange(this.#words, at, pending, word(generation, TAKEN)) === pending;
  }

  /** Main thread: the job that runs now, since when and on which thread; undefined when none does. */
  current(slot: number): { index: number; startedMs: number; threadId: number } | undefined {
    const base = slot * WORDS_PER_SLOT;
    const index = Atomics.load(this.#words, base + WORD_CURRENT);
    if (index < 0) return undefined;
    return {
      index,
      threadId: Atomics.load(this.#words, base + WORD_THREAD),
      startedMs: this.#times[(base * 4 + OFFSET_STARTED) / 8] ?? 0,
    };
  }
}

function word(generation: number, state: number): number {
  return (generation << 2) | state | 0;
}

/** A clock that all threads of the process share. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

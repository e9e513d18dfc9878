/**
 * Shared memory through which main thread and workers talk: who runs which job, what is to be done and what is done. A
 * batch travels in a slot; each of its jobs has a word, which a worker sets from pending to running and the main thread
 * from pending to taken, so that exactly one of them gets it. Words carry the batch's generation: nothing that was meant
 * for one batch can be taken for the next one's.
 */
export const BATCH_MAX = 64;
/** Generations run from 1 to this, and then from 1 again. */
export const GENERATION_MAX = 0xffffff;

const WORDS_PER_SLOT = 128;
/** The thread that serves the slot; 0 while there is none yet. */
const WORD_THREAD = 0;
const WORD_CURRENT = 1;
/** Byte offset of the start time within a slot; a multiple of eight. It takes words 2 and 3. */
const OFFSET_STARTED = 8;
/** The batch to run: its generation, negative when it comes as a message. */
const WORD_REQUEST = 4;
/** The generation of the last batch whose results are in the mailbox. */
const WORD_ANSWER = 5;
/** Counts the main thread's replies to the slot's questions. */
const WORD_REPLIES = 6;
const WORD_JOBS = 8;

const PENDING = 0;
const RUNNING = 1;
const DONE = 2;
const TAKEN = 3;

export class Control {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  /** Behind all slots: counts answers, for the main thread to wait on. */
  readonly #answers: number;

  constructor(slots: number | SharedArrayBuffer) {
    this.buffer = typeof slots === 'number' ? new SharedArrayBuffer((slots + 1) * WORDS_PER_SLOT * 4) : slots;
    this.#words = new Int32Array(this.buffer);
    this.#times = new Float64Array(this.buffer);
    this.#answers = this.#words.length - WORDS_PER_SLOT;
  }

  /** Main thread: all jobs of a new batch are pending. */
  open(slot: number, generation: number, count: number): void {
    const base = slot * WORDS_PER_SLOT;
    Atomics.store(this.#words, base + WORD_CURRENT, -1);
    for (let i = 0; i < count; i++) Atomics.store(this.#words, base + WORD_JOBS + i, word(generation, PENDING));
  }

  /** Main thread: the batch lies in the slot's mailbox, or comes as a message; its worker is woken. */
  request(slot: number, generation: number, asMessage: boolean): void {
    const at = slot * WORDS_PER_SLOT + WORD_REQUEST;
    Atomics.store(this.#words, at, asMessage ? -generation : generation);
    Atomics.notify(this.#words, at, 1);
  }

  /** What was requested last: where a new worker begins. */
  requested(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS_PER_SLOT + WORD_REQUEST);
  }

  /** Worker: waits until something other than `served` is requested, and says what. */
  awaitRequest(slot: number, served: number): number {
    const at = slot * WORDS_PER_SLOT + WORD_REQUEST;
    for (;;) {
      const requested = Atomics.load(this.#words, at);
      if (requested !== served) return requested;
      Atomics.wait(this.#words, at, served);
    }
  }

  /** Worker: the results are in the slot's mailbox; the main thread is woken. */
  answer(slot: number, generation: number): void {
    Atomics.store(this.#words, slot * WORDS_PER_SLOT + WORD_ANSWER, generation);
    this.wakeMain();
  }

  /** Main thread: whether this batch's results are in the mailbox. */
  answered(slot: number, generation: number): boolean {
    return Atomics.load(this.#words, slot * WORDS_PER_SLOT + WORD_ANSWER) === generation;
  }

  get answers(): number {
    return Atomics.load(this.#words, this.#answers);
  }

  /** Resolves when there are other than `seen` answers; undefined when there are already. */
  nextAnswer(seen: number): Promise<unknown> | undefined {
    const { async, value } = Atomics.waitAsync(this.#words, this.#answers, seen);
    return async ? value : undefined;
  }

  wakeMain(): void {
    Atomics.add(this.#words, this.#answers, 1);
    Atomics.notify(this.#words, this.#answers);
  }

  replies(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS_PER_SLOT + WORD_REPLIES);
  }

  /** Main thread: the reply to the slot's question is posted. */
  reply(slot: number): void {
    const at = slot * WORDS_PER_SLOT + WORD_REPLIES;
    Atomics.add(this.#words, at, 1);
    Atomics.notify(this.#words, at, 1);
  }

  /** Worker: waits for the reply behind the `seen` ones. */
  awaitReply(slot: number, seen: number): void {
    // The notification of the last reply may come when its question is answered already, and wake the next wait.
    while (this.replies(slot) === seen) Atomics.wait(this.#words, slot * WORDS_PER_SLOT + WORD_REPLIES, seen);
  }

  /** The thread that serves a slot; 0 for none. */
  setThread(slot: number, threadId: number): void {
    Atomics.store(this.#words, slot * WORDS_PER_SLOT + WORD_THREAD, threadId);
  }

  thread(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS_PER_SLOT + WORD_THREAD);
  }

  /** Worker: takes a job to run it. False when the main thread took it back. */
  claim(slot: number, generation: number, index: number, nowMs: number): boolean {
    const base = slot * WORDS_PER_SLOT;
    const pending = word(generation, PENDING);
    const running = word(generation, RUNNING);
    if (Atomics.compareExchange(this.#words, base + WORD_JOBS + index, pending, running) !== pending) return false;
    this.#times[(base * 4 + OFFSET_STARTED) / 8] = nowMs;
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

  /** Main thread: the job that runs now, and since when; undefined when none does. */
  current(slot: number): { index: number; startedMs: number } | undefined {
    const base = slot * WORDS_PER_SLOT;
    const index = Atomics.load(this.#words, base + WORD_CURRENT);
    if (index < 0) return undefined;
    return { index, startedMs: this.#times[(base * 4 + OFFSET_STARTED) / 8] ?? 0 };
  }
}

function word(generation: number, state: number): number {
  return (generation << 2) | state | 0;
}

/** A clock that all threads of the process share. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

import { extname } from 'node:path';
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { SandboxLimits } from '../limits.ts';
import { setSandboxFlags } from '../../v8-flags.ts';
import type { LaneStart, Question, WorkerSetup } from '../worker/messages.ts';
import { WORKER_START_FILE, workerEnv } from '../worker-env.ts';
import { Control } from './control.ts';
import { Mailboxes } from './mailbox.ts';

const ENTRY = new URL(`../worker/worker${extname(import.meta.filename)}`, import.meta.url).href;

const MIB = 1024 * 1024;

export interface WorkersEvents {
  /** Results that are too large for the slot's mailbox. */
  results(slot: number, results: ArrayBuffer): void;
  /** Something was answered in a mailbox. */
  answers(): void;
  /** The worker of a slot asks; the reply goes to the port. */
  question(slot: number, question: Question, port: MessagePort): void;
  /** The worker of a slot ended by itself. */
  lost(slot: number, cause: unknown): void;
}

/** A slot and the thread that serves it, for as long as that lives. */
interface Lane {
  readonly port: MessagePort;
  /** Terminates the thread. */
  readonly controller: AbortController;
}

/**
 * The worker threads. Piscina starts, replaces and stops them; to it, all that a thread does in its life is one task. Work
 * goes through shared memory: a thread waits for the next batch of its slot, and the main thread for the next answer. That
 * is the shortest way there is between two threads, a third of a piscina task's.
 */
export class Workers {
  readonly control: Control;
  readonly mailboxes: Mailboxes;
  /** Slots for batches: as many as can be on workers at once. */
  readonly slots: number;
  readonly #events: WorkersEvents;
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #pool: Piscina<LaneStart, void>;
  #closed = false;

  constructor(limits: SandboxLimits, events: WorkersEvents) {
    setSandboxFlags();
    this.slots = limits.threads + limits.spareThreads;
    this.control = new Control(this.slots);
    this.mailboxes = new Mailboxes(this.slots);
    this.#events = events;
    // One spare is always ready: a worker that was stopped is replaced at once, and its successor starts meanwhile.
    const ready = limits.threads + Math.min(1, limits.spareThreads);
    const workerData: WorkerSetup = {
      entry: ENTRY,
      control: this.control.buffer,
      mailboxes: this.mailboxes.buffer,
      instanceCacheBytesMax: limits.instanceCacheBytesMax,
      moduleCacheBytesMax: limits.moduleCacheBytesMax,
      garbageBytesMax: limits.garbageBytesMax,
    };
    this.#pool = new Piscina<LaneStart, void>({
      filename: WORKER_START_FILE,
      minThreads: ready,
      maxThreads: this.slots,
      idleTimeout: Infinity,
      workerData,
      env: workerEnv(),
      resourceLimits: { maxOldGenerationSizeMb: limits.workerHeapBytesMax / MIB },
      recordTiming: false,
    });
    // A worker that fails before it serves a slot costs nobody a job; the pool has replaced it.
    this.#pool.on('error', () => {});
    for (let slot = 0; slot < ready; slot++) this.#lane(slot);
    void this.#listen();
  }

  /** Whether the slot's thread has started. */
  isReady(slot: number): boolean {
    return this.control.thread(slot) !== 0;
  }

  /** Hands a batch over: the one in the slot's mailbox, or the one in `message`. */
  send(slot: number, generation: number, message?: ArrayBuffer): void {
    const { port } = this.#lane(slot);
    if (message !== undefined) port.postMessage(message, [message]);
    this.control.request(slot, generation, message !== undefined);
  }

  /** Terminates a slot's thread; `gone` is called when nothing of it runs any more, and its successor is starting. */
  kill(slot: number, gone: () => void): void {
    const lane = this.#lanes[slot];
    const threadId = this.control.thread(slot);
    const worker: Worker | undefined = this.#pool.threads.find((each) => each.threadId === threadId);
    this.#forget(slot);
    const ended = (): void => {
      if (!this.#closed) this.#lane(slot);
      gone();
    };
    if (worker === undefined) queueMicrotask(ended);
    else worker.once('exit', ended);
    lane?.controller.abort();
  }

  async destroy(): Promise<void> {
    this.#closed = true;
    this.control.wakeMain();
    for (let slot = 0; slot < this.slots; slot++) this.#forget(slot);
    await this.#pool.destroy();
  }

  /** The lane of a slot; it is started when there is none. */
  #lane(slot: number): Lane {
    const existing = this.#lanes[slot];
    if (existing !== undefined) return existing;
    const { port1: port, port2 } = new MessageChannel();
    const lane: Lane = { port, controller: new AbortController() };
    this.#lanes[slot] = lane;
    port.on('message', (message: ArrayBuffer | Question) => {
      if (message instanceof ArrayBuffer) this.#events.results(slot, message);
      else this.#events.question(slot, message, port);
    });
    port.unref();
    const ended = (cause?: unknown): void => {
      if (this.#lanes[slot] !== lane) return;
      const started = this.isReady(slot);
      this.#forget(slot);
      // One that did not even start is tried again only when there is work: it may never start.
      if (started) this.#lane(slot);
      this.#events.lost(slot, cause);
    };
    const start: LaneStart = { slot, served: this.control.requested(slot), port: port2 };
    // Piscina demands an array here, and its types another thing.
    const transferList = [port2] as never;
    this.#pool.run(start, { signal: lane.controller.signal, transferList }).then(ended, ended);
    return lane;
  }

  #forget(slot: number): void {
    this.#lanes[slot]?.port.close();
    this.#lanes[slot] = undefined;
    this.control.setThread(slot, 0);
  }

  async #listen(): Promise<void> {
    let seen = 0;
    while (!this.#closed) {
      await this.control.nextAnswer(seen);
      seen = this.control.answers;
      this.#events.answers();
    }
  }
}

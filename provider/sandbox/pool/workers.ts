import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { SandboxLimits } from '../limits.ts';
import { setWasmFlags } from '../v8-flags.ts';
import type { WorkerSetup } from '../worker/messages.ts';
import { WORKER_START_FILE, workerEnv } from '../worker-env.ts';
import { answerQuestions, isHello, type AnswerOptions } from './answers.ts';
import { Control } from './control.ts';
import { Mailboxes } from './mailbox.ts';

const ENTRY = new URL('../worker/worker.ts', import.meta.url).href;
/** A batch or its results: the slot whose mailbox holds them, or a buffer of their own. */
export type Mail = number | ArrayBuffer;

const SPARE_IDLE_MS = 5000;

/** The worker threads: a piscina pool whose workers can ask the main thread while they run a handler. */
export class Workers {
  readonly control: Control;
  readonly mailboxes: Mailboxes;
  /** Slots for batches: as many as can be on workers at once. */
  readonly slots: number;
  readonly #pool: Piscina<Mail, Mail>;

  constructor(limits: SandboxLimits, answers: AnswerOptions) {
    setWasmFlags();
    this.slots = limits.threads + limits.spareThreads;
    this.control = new Control(this.slots);
    this.mailboxes = new Mailboxes(this.slots);
    const workerData: WorkerSetup = {
      entry: ENTRY,
      control: this.control.buffer,
      mailboxes: this.mailboxes.buffer,
      instanceCacheBytesMax: limits.instanceCacheBytesMax,
      moduleCacheBytesMax: limits.moduleCacheBytesMax,
      garbageBytesMax: limits.garbageBytesMax,
    };
    this.#pool = new Piscina<Mail, Mail>({
      filename: WORKER_START_FILE,
      // One spare is always ready: a worker that was stopped is replaced at once, and its successor starts meanwhile.
      minThreads: limits.threads + Math.min(1, limits.spareThreads),
      maxThreads: this.slots,
      idleTimeout: SPARE_IDLE_MS,
      workerData,
      env: workerEnv(),
      recordTiming: false,
    });
    this.#pool.on('message', (message: unknown) => {
      if (isHello(message)) answerQuestions(message, answers);
    });
    // A worker that fails between batches costs nobody a job; the pool has replaced it.
    this.#pool.on('error', () => {});
  }

  run(mail: Mail, signal: AbortSignal): Promise<Mail> {
    return this.#pool.run(typeof mail === 'number' ? mail : (Piscina.move(mail) as ArrayBuffer), { signal });
  }

  find(threadId: number): Worker | undefined {
    return this.#pool.threads.find((worker) => worker.threadId === threadId);
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}

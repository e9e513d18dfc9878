import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { SandboxLimits } from '../limits.ts';
import { setWasmFlags } from '../v8-flags.ts';
import type { WorkerSetup } from '../worker/messages.ts';
import { answerQuestions, isHello, type AnswerOptions } from './answers.ts';
import { Control } from './control.ts';

const WORKER_FILE = fileURLToPath(new URL('../worker/worker.ts', import.meta.url));
const SPARE_IDLE_MS = 5000;

/** The worker threads: a piscina pool whose workers can ask the main thread while they run a handler. */
export class Workers {
  readonly control: Control;
  /** Slots for batches: as many as can be on workers at once. */
  readonly slots: number;
  readonly #pool: Piscina<ArrayBuffer, ArrayBuffer>;

  constructor(limits: SandboxLimits, answers: AnswerOptions) {
    setWasmFlags();
    this.slots = limits.threads + limits.spareThreads;
    this.control = new Control(this.slots);
    const workerData: WorkerSetup = {
      control: this.control.buffer,
      instanceCacheBytesMax: limits.instanceCacheBytesMax,
      moduleCacheBytesMax: limits.moduleCacheBytesMax,
      garbageBytesMax: limits.garbageBytesMax,
    };
    this.#pool = new Piscina<ArrayBuffer, ArrayBuffer>({
      filename: WORKER_FILE,
      minThreads: limits.threads,
      maxThreads: this.slots,
      idleTimeout: SPARE_IDLE_MS,
      workerData,
      recordTiming: false,
    });
    this.#pool.on('message', (message: unknown) => {
      if (isHello(message)) answerQuestions(message, answers);
    });
    // A worker that fails between batches costs nobody a job; the pool has replaced it.
    this.#pool.on('error', () => {});
  }

  run(message: ArrayBuffer, signal: AbortSignal): Promise<ArrayBuffer> {
    const task = message.byteLength < MOVE_BYTES_MIN ? message : (Piscina.move(message) as ArrayBuffer);
    return this.#pool.run(task, { signal });
  }

  find(threadId: number): Worker | undefined {
    return this.#pool.threads.find((worker) => worker.threadId === threadId);
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** A larger message moves to the worker; a smaller one is cheaper to copy. */
const MOVE_BYTES_MIN = 64 * 1024;

import { HttpError } from '../http/index.ts';

const CHECK_MS = 250;

interface Job {
  controller: AbortController;
  untilMs: number;
}

/** Deadlines of jobs under way: all are equally long, so one clock looks at the oldest. A timer for each would cost as much as the gateway's part of a job. */
export class JobClock {
  readonly #timeoutMs: number;
  readonly #jobs = new Set<Job>();
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#timer = setInterval(() => this.#check(), CHECK_MS).unref();
  }

  /** A signal that follows the request's, and ends by itself; `end` when the answer has begun. */
  start(request: AbortSignal, nowMs: number): { signal: AbortSignal; end: () => void } {
    const controller = new AbortController();
    const job = { controller, untilMs: nowMs + this.#timeoutMs };
    const abort = (): void => controller.abort(request.reason);
    if (request.aborted) abort();
    else request.addEventListener('abort', abort);
    this.#jobs.add(job);
    return {
      signal: controller.signal,
      // The request may still be aborted while the answer streams; only the clock stops.
      end: () => this.#jobs.delete(job),
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const { controller, untilMs } of this.#jobs) {
      if (untilMs > nowMs) break;
      controller.abort(
        new HttpError(504, 'SERVICE_TIMEOUT', `The service did not answer within ${this.#timeoutMs} ms`, {
          retryable: true,
          headers: { 'retry-after': '5' },
        }),
      );
    }
  }
}

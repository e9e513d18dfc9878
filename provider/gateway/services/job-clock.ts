import { LiveList } from '../../live-list.ts';
import { HttpError, type HttpRequest } from '../http/index.ts';

const CHECK_MS = 250;

interface Job {
  request: HttpRequest;
  untilMs: number;
}

/** Deadlines of jobs under way: all are equally long, so one clock looks at the oldest. A timer for each would cost as much as the gateway's part of a job. */
export class JobClock {
  readonly #timeoutMs: number;
  readonly #jobs = new LiveList<Job>();
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#timer = setInterval(() => this.#check(), CHECK_MS).unref();
  }

  /** Aborts the request when its time is over, unless the answer has begun: then whoever started the clock stops it. */
  start(request: HttpRequest, nowMs: number): () => void {
    const place = this.#jobs.add({ request, untilMs: nowMs + this.#timeoutMs });
    return () => this.#jobs.remove(place);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const { request, untilMs } of this.#jobs.values()) {
      if (untilMs > nowMs) break;
      request.cancellation.abort(
        new HttpError(504, 'SERVICE_TIMEOUT', `The service did not answer within ${this.#timeoutMs} ms`, {
          retryable: true,
          headers: { 'retry-after': '5' },
        }),
      );
    }
  }
}

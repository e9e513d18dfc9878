import type { CID } from 'multiformats/cid';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import type { Usage } from '../../sdk/protocol/index.ts';
import type { Fault } from '../../sdk/protocol/errors.ts';
import { LiveList, type LivePlace } from '../live-list.ts';
import type { AnsweredQuery, FinishedJob, Job } from './run-job.ts';

/** A job that runs now. */
export interface LiveJob {
  id: number;
  consumer: string;
  handler: string;
  method: string;
  path: string;
  startedMs: number;
}

/** How a job ended: with a receipt, or with an error and without one. */
export interface EndedJob extends LiveJob {
  elapsedMs: number;
  /** OK, or the error's code. */
  code: string;
  fault?: Fault;
  status: number;
  fuel: number;
  memoryPagesPeak: number;
  priceBytes: number;
}

/** What all jobs of one handler took. */
export interface HandlerFigures {
  handler: string;
  jobs: number;
  failed: number;
  elapsedMs: number;
  elapsedMsMax: number;
  fuel: number;
  priceBytes: number;
  lastMs: number;
}

export interface FailureFigures {
  code: string;
  fault: Fault | 'unknown';
  count: number;
  lastMs: number;
  /** Of the last one. */
  message: string;
  handler: string;
}

export interface JobEnd {
  code?: string;
  fault?: Fault;
  message?: string;
  status: number;
  usage: Pick<Usage, 'fuel' | 'memoryPagesPeak'>;
  priceBytes: number;
}

/** An answer that is given again took nothing. */
const FREE = { usage: { fuel: 0, memoryPagesPeak: 0 }, priceBytes: 0 };

function costOf(finished: FinishedJob | AnsweredQuery): Pick<JobEnd, 'usage' | 'priceBytes'> {
  if ('cost' in finished) return finished.cost;
  return finished.isRepeat === true ? FREE : finished.sealed.receipt;
}

export const ACTIVITY_LIMITS = {
  handlersMax: 256,
  failuresMax: 64,
  recentMax: 100,
  pathLengthMax: 200,
  messageLengthMax: 300,
} as const;

/**
 * What an operator wants to see of the jobs: those that run, the last that ended, what each handler takes, which errors
 * there were. Everything is bounded; handlers and errors that were not seen for longest are forgotten first.
 */
export class Activity {
  readonly #live = new LiveList<LiveJob>();
  readonly #recent: EndedJob[] = [];
  readonly #handlers = new Map<string, HandlerFigures>();
  readonly #failures = new Map<string, FailureFigures>();
  readonly #listeners = new Set<(job: EndedJob) => void>();
  #nextId = 1;

  /** Shows a job until it has `ended`. */
  async track<T extends FinishedJob | AnsweredQuery>(job: Job, ended: Promise<T>): Promise<T> {
    const live = this.begin(job.consumer.toString(), job.handler, job.request);
    try {
      const finished = await ended;
      const { usage, priceBytes } = costOf(finished);
      const { error, status } = finished.outcome;
      this.end(live, { ...error, status, usage, priceBytes });
      return finished;
    } catch (error) {
      this.fail(live, error);
      throw error;
    }
  }

  begin(consumer: string, handler: CID, request: { method: string; path: string }): LivePlace<LiveJob> {
    return this.#live.add({
      id: this.#nextId++,
      consumer,
      handler: handler.toString(),
      method: request.method.slice(0, 16),
      path: request.path.slice(0, ACTIVITY_LIMITS.pathLengthMax),
      startedMs: Date.now(),
    });
  }

  end(place: LivePlace<LiveJob>, end: JobEnd): void {
    this.#live.remove(place);
    const job = place.value;
    const nowMs = Date.now();
    const { usage, priceBytes, status, code = 'OK', fault } = end;
    const ended: EndedJob = {
      ...job,
      elapsedMs: nowMs - job.startedMs,
      code,
      status,
      fuel: usage.fuel,
      memoryPagesPeak: usage.memoryPagesPeak,
      priceBytes,
    };
    if (fault !== undefined) ended.fault = fault;
    this.#recent.push(ended);
    if (this.#recent.length > ACTIVITY_LIMITS.recentMax) this.#recent.shift();
    this.#countHandler(ended, nowMs);
    if (code !== 'OK') this.#countFailure(ended, end.message ?? '', nowMs);
    for (const listener of this.#listeners) listener(ended);
  }

  /** A job that ended without a receipt. */
  fail(place: LivePlace<LiveJob>, error: unknown): void {
    const known = error instanceof WorkswapError;
    this.end(place, {
      code: known ? error.code : 'INTERNAL',
      fault: known ? error.fault : 'provider',
      message: error instanceof Error ? error.message : String(error),
      status: 0,
      usage: { fuel: 0, memoryPagesPeak: 0 },
      priceBytes: 0,
    });
  }

  live(): LiveJob[] {
    return this.#live.values();
  }

  /** Newest first. */
  recent(): EndedJob[] {
    return this.#recent.toReversed();
  }

  handlers(): HandlerFigures[] {
    return [...this.#handlers.values()];
  }

  failures(): FailureFigures[] {
    return [...this.#failures.values()];
  }

  /** Tells of every job that ends; the answer stops it. */
  onEnd(listener: (job: EndedJob) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #countHandler({ handler, code, elapsedMs, fuel, priceBytes }: EndedJob, nowMs: number): void {
    const before = this.#handlers.get(handler);
    const figures: HandlerFigures = before ?? {
      handler,
      jobs: 0,
      failed: 0,
      elapsedMs: 0,
      elapsedMsMax: 0,
      fuel: 0,
      priceBytes: 0,
      lastMs: 0,
    };
    figures.jobs += 1;
    figures.failed += code === 'OK' ? 0 : 1;
    figures.elapsedMs += elapsedMs;
    figures.elapsedMsMax = Math.max(figures.elapsedMsMax, elapsedMs);
    figures.fuel += fuel;
    figures.priceBytes += priceBytes;
    figures.lastMs = nowMs;
    keepLatest(this.#handlers, handler, figures, ACTIVITY_LIMITS.handlersMax);
  }

  #countFailure({ handler, code, fault }: EndedJob, message: string, nowMs: number): void {
    const count = (this.#failures.get(code)?.count ?? 0) + 1;
    const short = message.slice(0, ACTIVITY_LIMITS.messageLengthMax);
    const figures = { code, fault: fault ?? 'unknown', count, lastMs: nowMs, message: short, handler } as const;
    keepLatest(this.#failures, code, figures, ACTIVITY_LIMITS.failuresMax);
  }
}

/** A map in the order of last use, which forgets what was not used for longest. */
function keepLatest<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > max) map.delete(map.keys().next().value as string);
}

import { SandboxError } from '../errors.ts';
import type { Batch } from './batch.ts';
import { sharedNowMs, type Control } from './control.ts';
import type { Entry } from './entry.ts';

/** How often running jobs are looked at, while there are any. */
const TICK_MS = 5;
/** A cancelled job may end by itself within this time: most do, and a new worker costs ten times as much. */
const CANCEL_GRACE_MS = 5;
/** One that has run as long as this will hardly end just now: it is stopped at once. */
const CANCEL_LONG_MS = 20;
/** A job that runs longer than this gives up its neighbours in the batch. */
const TAKE_BACK_MS = 5;

export interface WatchdogActions {
  kill(batch: Batch, entry: Entry, error: SandboxError): void;
  takeBack(batch: Batch): void;
}

/** Looks at the jobs on the workers and acts on those that overrun. It ticks only while there are any. */
export class Watchdog {
  readonly #control: Control;
  readonly #batches: () => Iterable<Batch>;
  readonly #actions: WatchdogActions;
  #timer: NodeJS.Timeout | undefined;
  #ticking = false;

  constructor(control: Control, batches: () => Iterable<Batch>, actions: WatchdogActions) {
    this.#control = control;
    this.#batches = batches;
    this.#actions = actions;
  }

  start(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#tick(), TICK_MS);
    else this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ticking = true;
  }

  #tick(): void {
    this.#ticking = false;
    const nowMs = sharedNowMs();
    let live = false;
    for (const batch of this.#batches()) {
      if (batch.killed) continue;
      live = true;
      this.#check(batch, nowMs);
    }
    if (live) this.start();
  }

  #check(batch: Batch, nowMs: number): void {
    const current = this.#control.current(batch.slot);
    const entry = current && batch.entries[current.index];
    if (current === undefined || entry === undefined || entry.batch !== batch) return;
    const elapsedMs = nowMs - current.startedMs;
    const { timeoutMs } = entry.job.limits;
    const graceMs = elapsedMs < CANCEL_LONG_MS ? CANCEL_GRACE_MS : 0;
    if (entry.cancelledMs !== undefined && nowMs - entry.cancelledMs >= graceMs) {
      const init = { fault: 'consumer', retryable: true, elapsedMs, cause: entry.cancelReason } as const;
      this.#actions.kill(batch, entry, new SandboxError('JOB_CANCELLED', 'The job was cancelled while it ran.', init));
    } else if (elapsedMs >= timeoutMs) {
      this.#actions.kill(batch, entry, batch.waiting ? waited(timeoutMs, elapsedMs) : overran(timeoutMs, elapsedMs));
    } else if (elapsedMs >= TAKE_BACK_MS && batch.entries.length > 1) {
      this.#actions.takeBack(batch);
    }
  }
}

function overran(timeoutMs: number, elapsedMs: number): SandboxError {
  const message = `The job ran longer than its ${timeoutMs} ms and was stopped. Raise timeoutMs or give it less to do.`;
  return new SandboxError('JOB_TIMEOUT', message, { fault: 'handler', retryable: false, elapsedMs });
}

function waited(timeoutMs: number, elapsedMs: number): SandboxError {
  const message = `The job still waited for a block at its deadline of ${timeoutMs} ms.`;
  return new SandboxError('BLOCK_UNAVAILABLE', message, { fault: 'provider', retryable: true, elapsedMs });
}

import { WorkswapError, type ServiceMessage } from '../../sdk/protocol/index.ts';
import { STATE_LIMITS, type Lane, type Outbox, type WaitingMessage } from '../services/state/index.ts';
import type { Holdup, MessagesFigures } from '../services/index.ts';
import { Tally } from '../tally.ts';
import { isFinal } from './errors.ts';
import type { DeliveryLimits } from './limits.ts';

/** How messages reach a recipient. @throws whatever kept a message from it; see `isFinal` */
export type Deliver = (message: ServiceMessage, options: { ttlMs: number; signal: AbortSignal }) => Promise<void>;

export interface DelivererInit {
  outbox: Outbox;
  deliver: Deliver;
  limits: DeliveryLimits;
  onError: (error: unknown) => void;
}

interface Queue {
  lane: Lane;
  failures: number;
  /** Set while it waits for the next attempt. */
  timer?: NodeJS.Timeout;
  holdup?: Holdup;
}

/**
 * Empties the outbox. Messages of a service to one recipient go in their order, each until it is taken, refused or expired;
 * many recipients are served at once. What is waiting is in the outbox, so a crash costs at most a repetition: recipients
 * tell one by its id.
 */
export class Deliverer {
  readonly #init: DelivererInit;
  readonly #queues = new Map<string, Queue>();
  /** Those whose turn has come, by service. */
  readonly #ready = new Map<string, Queue[]>();
  /** How many of a service are running. */
  readonly #underWay = new Tally();
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  /** Messages by what became of them, and attempts that failed. */
  readonly #counts = { delivered: 0, refused: 0, expired: 0, failed: 0 };

  constructor(init: DelivererInit) {
    this.#init = init;
  }

  start(): void {
    this.#init.outbox.follow((lanes) => this.#wake(lanes));
  }

  /** What is under way is cut off: it is done again after the next start. */
  async stop(): Promise<void> {
    this.#init.outbox.unfollow();
    this.#stop.abort(
      new WorkswapError('SHUTTING_DOWN', 'The provider is stopping', { fault: 'provider', retryable: true }),
    );
    for (const { timer } of this.#queues.values()) clearTimeout(timer);
    await Promise.all(this.#running);
  }

  /** Of all services. */
  get waiting(): { messages: number; bytes: number } {
    return this.#init.outbox.waiting;
  }

  /** Since the start. */
  counts(): Readonly<Record<'delivered' | 'refused' | 'expired' | 'failed', number>> {
    return { ...this.#counts };
  }

  figures(service: string): MessagesFigures {
    const queues = [...this.#queues.values()].filter(
      ({ lane, holdup }) => lane.service === service && holdup !== undefined,
    );
    return { ...this.#init.outbox.figures(service), holdups: queues.map(({ holdup }) => holdup!) };
  }

  #wake(lanes: readonly Lane[]): void {
    for (const lane of lanes) {
      const key = keyOf(lane);
      // One that is there looks for what came meanwhile by itself.
      if (this.#queues.has(key)) continue;
      const queue: Queue = { lane, failures: 0 };
      this.#queues.set(key, queue);
      this.#await(queue);
    }
    this.#fill();
  }

  #fill(): void {
    while (this.#running.size < this.#init.limits.underWayMax && !this.#stop.signal.aborted) {
      const queue = this.#next();
      if (queue === undefined) return;
      const { service } = queue.lane;
      this.#underWay.add(service);
      const running = this.#run(queue).finally(() => {
        this.#running.delete(running);
        this.#underWay.remove(service);
        this.#fill();
      });
      this.#running.add(running);
    }
  }

  #await(queue: Queue): void {
    const { service } = queue.lane;
    const ready = this.#ready.get(service);
    if (ready === undefined) this.#ready.set(service, [queue]);
    else ready.push(queue);
  }

  /** Of the service with the fewest under way: whose recipients do not answer must not keep other services waiting. */
  #next(): Queue | undefined {
    let least: string | undefined;
    for (const service of this.#ready.keys()) {
      if (least === undefined || this.#underWay.of(service) < this.#underWay.of(least)) least = service;
    }
    if (least === undefined) return undefined;
    const ready = this.#ready.get(least)!;
    const queue = ready.shift();
    // Behind the others, which may have as many.
    this.#ready.delete(least);
    if (ready.length > 0) this.#ready.set(least, ready);
    return queue;
  }

  /**
   * A turn of a queue: it ends when nothing is left, when an attempt fails, or when others shall have theirs. While the disk
   * notes what became of a message the next is on its way; should that fail, it is delivered once more.
   */
  async #run(queue: Queue): Promise<void> {
    const { outbox, limits } = this.#init;
    const noting: Promise<void>[] = [];
    try {
      let after = 0;
      const sinceMs = performance.now();
      for (let i = 0; i < limits.turnMax && !this.#stop.signal.aborted; i++) {
        // A recipient that takes its time for each of them has no longer turn than one that does not answer.
        if (i > 0 && performance.now() - sinceMs >= limits.attemptMs) break;
        const waiting = outbox.first(queue.lane, after);
        if (waiting === undefined) break;
        after = waiting.sequence;
        const { noted } = await this.#attempt(waiting, queue);
        noted.catch(() => {});
        noting.push(noted);
        queue.failures = 0;
        delete queue.holdup;
      }
      await Promise.all(noting);
      if (outbox.first(queue.lane) === undefined) this.#queues.delete(keyOf(queue.lane));
      else this.#await(queue);
    } catch (error) {
      await Promise.allSettled(noting);
      if (!this.#stop.signal.aborted) this.#retryLater(queue, error);
    }
  }

  /** `noted` resolves when what became of the message is on the disk. @throws why it has to be tried again */
  async #attempt(waiting: WaitingMessage, { holdup }: Queue): Promise<{ noted: Promise<void> }> {
    const { outbox, deliver, limits } = this.#init;
    const { message } = waiting;
    const ttlMs = message.timeMs + STATE_LIMITS.messageKeepMs - Date.now();
    if (ttlMs <= 0) {
      const last = holdup === undefined ? 'it was not tried' : `${holdup.code}: ${holdup.reason}`;
      const reason = `It could not be delivered in time. The last attempt: ${last}`;
      return { noted: this.#note('expired', outbox.giveUp(waiting, { code: 'MESSAGE_EXPIRED', reason })) };
    }
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(limits.attemptMs)]);
    try {
      await deliver(message, { ttlMs, signal });
    } catch (error) {
      if (!isFinal(error)) throw error;
      return { noted: this.#note('refused', outbox.giveUp(waiting, whyOf(error))) };
    }
    return { noted: this.#note('delivered', outbox.delivered(waiting)) };
  }

  async #note(what: 'delivered' | 'refused' | 'expired', noted: Promise<void>): Promise<void> {
    await noted;
    this.#counts[what] += 1;
  }

  #retryLater(queue: Queue, error: unknown): void {
    const { limits, onError } = this.#init;
    if (!(error instanceof WorkswapError) && (error as Error).name !== 'TimeoutError') onError(error);
    queue.failures += 1;
    this.#counts.failed += 1;
    const mostMs = Math.min(limits.retryMsMax, limits.retryMsMin * 2 ** (queue.failures - 1));
    const waitMs = mostMs * (0.5 + Math.random() / 2);
    const { code, reason } = whyOf(error);
    queue.holdup = {
      to: queue.lane.recipient,
      code,
      reason,
      attempts: queue.failures,
      nextMs: Math.round(Date.now() + waitMs),
    };
    queue.timer = setTimeout(() => {
      delete queue.timer;
      this.#await(queue);
      this.#fill();
    }, waitMs).unref();
  }
}

const REASON_LENGTH_MAX = 500;

function whyOf(error: unknown): { code: string; reason: string } {
  const { message, name } = error as Error;
  const code = error instanceof WorkswapError ? error.code : name === 'TimeoutError' ? 'NO_ANSWER' : 'DELIVERY_FAILED';
  return { code, reason: message.slice(0, REASON_LENGTH_MAX) };
}

function keyOf({ state, recipient }: Lane): string {
  return `${state} ${recipient}`;
}

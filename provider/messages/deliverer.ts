import { WorkswapError, type ServiceMessage } from '../../sdk/protocol/index.ts';
import { STATE_LIMITS, type Lane, type Outbox, type WaitingMessage } from '../services/state/index.ts';
import type { Holdup, MessagesFigures } from '../services/index.ts';
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
  readonly #ready: Queue[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

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
      this.#ready.push(queue);
    }
    this.#fill();
  }

  #fill(): void {
    while (this.#running.size < this.#init.limits.underWayMax && !this.#stop.signal.aborted) {
      const queue = this.#ready.shift();
      if (queue === undefined) return;
      const running = this.#run(queue).finally(() => {
        this.#running.delete(running);
        this.#fill();
      });
      this.#running.add(running);
    }
  }

  /** A turn of a queue: it ends when nothing is left, when an attempt fails, or when others shall have theirs. */
  async #run(queue: Queue): Promise<void> {
    const { outbox, limits } = this.#init;
    for (let i = 0; i < limits.turnMax; i++) {
      let waiting: WaitingMessage | undefined;
      try {
        waiting = outbox.first(queue.lane);
        if (waiting === undefined) {
          this.#queues.delete(keyOf(queue.lane));
          return;
        }
        await this.#settle(waiting, queue);
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#retryLater(queue, error);
        return;
      }
      queue.failures = 0;
      delete queue.holdup;
      if (this.#stop.signal.aborted) return;
    }
    this.#ready.push(queue);
  }

  /** @throws why it has to be tried again */
  async #settle(waiting: WaitingMessage, { holdup }: Queue): Promise<void> {
    const { outbox, deliver, limits } = this.#init;
    const { message } = waiting;
    const ttlMs = message.timeMs + STATE_LIMITS.messageKeepMs - Date.now();
    if (ttlMs <= 0) {
      const last = holdup === undefined ? 'it was not tried' : `${holdup.code}: ${holdup.reason}`;
      await outbox.giveUp(waiting, {
        code: 'MESSAGE_EXPIRED',
        reason: `It could not be delivered in time. The last attempt: ${last}`,
      });
      return;
    }
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(limits.attemptMs)]);
    try {
      await deliver(message, { ttlMs, signal });
    } catch (error) {
      if (!isFinal(error)) throw error;
      await outbox.giveUp(waiting, whyOf(error));
      return;
    }
    await outbox.delivered(waiting);
  }

  #retryLater(queue: Queue, error: unknown): void {
    const { limits, onError } = this.#init;
    if (!(error instanceof WorkswapError) && (error as Error).name !== 'TimeoutError') onError(error);
    queue.failures += 1;
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
      this.#ready.push(queue);
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

import type { Libp2p } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { PinError } from './errors.ts';
import type { PinningLimits } from './limits.ts';
import type { Payments } from './payments.ts';
import type { PinTable } from './table.ts';
import type { Tokens } from './tokens.ts';
import type { Pin } from './types.ts';

export interface RenewalsInit {
  libp2p: Libp2p;
  table: PinTable;
  tokens: Tokens;
  payments: Payments;
  limits: Pick<PinningLimits, 'prepaidMs'>;
  onError: (error: unknown) => void;
}

/** The last part of a period, in which the next one is paid for or its end is told. */
const NOTICE_PART = 1 / 8;
const CHECK_MS_MAX = 60_000;

/**
 * What is paid for ends with its time. Before that it is renewed for owners that are around: connected, or heard of by
 * a token since the period began. Who has gone is not charged for ever, and what he paid for is kept until then.
 */
export class Renewals {
  readonly #init: RenewalsInit;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(init: RenewalsInit) {
    this.#init = init;
  }

  start(): void {
    const everyMs = Math.min(CHECK_MS_MAX, this.#noticeMs / 4);
    this.#timer = setInterval(() => {
      this.#running ??= this.#check()
        .catch(this.#init.onError)
        .finally(() => {
          this.#running = undefined;
        });
    }, everyMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  get #noticeMs(): number {
    return this.#init.limits.prepaidMs * NOTICE_PART;
  }

  async #check(): Promise<void> {
    const nowMs = Date.now();
    for (const pin of this.#init.table.endingBefore(nowMs + this.#noticeMs)) {
      if (pin.paidUntilMs! <= nowMs) this.#end(pin);
      else await this.#renew(pin);
    }
  }

  #end(pin: Pin): void {
    const { paidUntilMs, nextMs: _next, ...rest } = pin;
    const message = `What was paid for ended at ${iso(paidUntilMs!)}. Pin it again to keep it.`;
    this.#init.table.change(rest, { status: 'failed', error: { code: 'PIN_EXPIRED', message } });
  }

  async #renew(pin: Pin): Promise<void> {
    const { table, payments, limits } = this.#init;
    const ends = `It is kept until ${iso(pin.paidUntilMs!)}`;
    if (!this.#isAround(pin.owner, pin.paidUntilMs! - limits.prepaidMs)) {
      this.#notice(pin, 'OWNER_AWAY', `${ends}: nothing was heard of its owner since it was paid for.`);
      return;
    }
    const { error: _, ...next } = pin;
    try {
      await payments.charge(next, pin.paidUntilMs!, (paid) => table.change(paid ?? pin, {}));
    } catch (error) {
      if (!(error instanceof PinError)) throw error;
      this.#notice(pin, error.code, `${ends}: ${error.message}`);
    }
  }

  /** Told once: its figures change all the time. */
  #notice(pin: Pin, code: string, message: string): void {
    if (pin.error?.code !== code) this.#init.table.change(pin, { error: { code, message } });
  }

  #isAround(owner: string, sinceMs: number): boolean {
    const { libp2p, tokens } = this.#init;
    if (libp2p.getConnections(peerIdFromString(owner)).length > 0) return true;
    return tokens.list(owner).some(({ usedMs = 0 }) => usedMs >= sinceMs);
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

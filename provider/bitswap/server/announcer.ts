import type { BitswapLimits } from '../constants.ts';
import type { CreditGate } from './credit-gate.ts';
import type { PeerWant, PeerWants } from './peer-wants.ts';

export interface AnnouncerInit {
  wants: PeerWants;
  credit: CreditGate;
  limits: BitswapLimits;
  /** Serves a want as if it were new. */
  enqueue: (want: PeerWant) => void;
  sayHave: (want: PeerWant) => void;
  /** Whether the peer knows HAVE at all. */
  knowsHave: () => boolean;
}

/** Tells a debtor with new room about the blocks that it was refused: it may have got some of them elsewhere. */
export class Announcer {
  readonly #init: AnnouncerInit;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(init: AnnouncerInit) {
    this.#init = init;
  }

  /** Announces as many refused blocks as there is room for now. */
  announce(): void {
    const { wants, credit, limits } = this.#init;
    let room = credit.room();
    let isFirst = true;
    for (const want of [...wants.waiting()]) {
      if (want.state !== 'refused') continue;
      const size = want.size ?? 0;
      if (want.announced) {
        // The room for it is promised already.
        room -= size;
        continue;
      }
      // For the first one the ledger has just said that there is room, by whatever rule of its own.
      if (size > room && !isFirst) {
        credit.refuse(size);
        break;
      }
      isFirst = false;
      room -= size;
      const needsWord = want.saidDontHave && size > limits.replaceHaveWithBlockBytesMax;
      if (!needsWord || !this.#init.knowsHave()) {
        this.#init.enqueue(want);
        continue;
      }
      want.announced = true;
      want.promised = true;
      this.#init.sayHave(want);
      this.#timer ??= this.#startGrace();
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** A peer that never asks twice (Helia) is served outright after a while. */
  #startGrace(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timer = undefined;
      for (const want of [...this.#init.wants.waiting()]) {
        if (want.state !== 'refused' || !want.announced) continue;
        want.announced = false;
        want.saidDontHave = false;
        this.#init.enqueue(want);
      }
    }, this.#init.limits.haveGraceMs);
    timer.unref();
    return timer;
  }
}

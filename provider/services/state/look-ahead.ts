/** Updates that run at the same time, the one whose turn it is included. */
const WIDTH_MAX = 8;
const WIDTH_MIN = 2;
/** Share of updates whose run ahead counted, over about the last eight. */
const SHARE_WIDE = 0.5;
const SHARE_WORTH = 0.25;
const MEMORY = 8;
const PAUSE_TURNS_MIN = 16;
const PAUSE_TURNS_MAX = 1024;

/**
 * How many updates run ahead of their turn. Updates that look at different files go on together; where nearly each sees
 * what the one before it changed (a counter), running ahead is work done twice, so it pauses, and longer each time.
 */
export class LookAhead {
  #share = SHARE_WIDE;
  #pausedTurns = 0;
  #nextPauseTurns = PAUSE_TURNS_MIN;

  /** The updates that may run now. */
  get width(): number {
    if (this.#pausedTurns > 0) return 1;
    return this.#share >= SHARE_WIDE ? WIDTH_MAX : WIDTH_MIN;
  }

  /** An update has had its turn; `held` says whether what it did ahead counted, undefined when it did nothing ahead. */
  turn(held: boolean | undefined): void {
    if (held === undefined) {
      if (this.#pausedTurns > 0) this.#pausedTurns -= 1;
      return;
    }
    this.#share += (Number(held) - this.#share) / MEMORY;
    if (this.#share >= SHARE_WIDE) this.#nextPauseTurns = PAUSE_TURNS_MIN;
    if (this.#share >= SHARE_WORTH) return;
    this.#pausedTurns = this.#nextPauseTurns;
    this.#nextPauseTurns = Math.min(PAUSE_TURNS_MAX, this.#nextPauseTurns * 2);
    this.#share = (SHARE_WIDE + SHARE_WORTH) / 2;
  }
}

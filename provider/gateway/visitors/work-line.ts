/** Work that somebody may have open; what is open is forgiven with time. Integers only. */
export class WorkLine {
  readonly #limitBytes: number;
  readonly #bytesPerSecond: number;
  #owedBytes = 0;
  #heldBytes = 0;
  #atMs: number;

  constructor(limitBytes: number, bytesPerSecond: number, nowMs: number) {
    this.#limitBytes = limitBytes;
    this.#bytesPerSecond = bytesPerSecond;
    this.#atMs = nowMs;
  }

  owed(nowMs: number): number {
    const forgiven = Math.floor(((nowMs - this.#atMs) * this.#bytesPerSecond) / 1000);
    if (forgiven > 0) {
      this.#owedBytes = Math.max(0, this.#owedBytes - forgiven);
      this.#atMs = nowMs;
    }
    return this.#owedBytes + this.#heldBytes;
  }

  /** True when this much more fits in. */
  fits(bytes: number, nowMs: number): boolean {
    return this.owed(nowMs) + bytes <= this.#limitBytes;
  }

  /** How long until it fits in; undefined when it never will. */
  waitMs(bytes: number, nowMs: number): number | undefined {
    const tooMuch = this.owed(nowMs) + bytes - this.#limitBytes;
    if (tooMuch <= 0) return 0;
    if (bytes > this.#limitBytes || this.#bytesPerSecond === 0) return undefined;
    return Math.ceil((tooMuch * 1000) / this.#bytesPerSecond);
  }

  hold(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** Ends a hold with what the work really was. */
  settle(heldBytes: number, workBytes: number): void {
    this.#heldBytes -= heldBytes;
    this.#owedBytes += workBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }
}

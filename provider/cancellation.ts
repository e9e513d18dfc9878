/** Tells of the end of work before its time, by what both have of the same name. */
export type CancelSignal = AbortSignal | Cancellation;

/**
 * An AbortController for work that begins thousands of times a second: an AbortSignal with a listener costs several
 * microseconds, so one is made only for whoever needs a real one.
 */
export class Cancellation {
  #listeners: (() => void)[] = [];
  #controller: AbortController | undefined;
  #aborted = false;
  #reason: unknown;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Only the first time counts. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners.splice(0)) listener();
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }
}

/** A real AbortSignal that tells the same. */
export function abortSignalOf(signal: CancelSignal): AbortSignal {
  return signal instanceof Cancellation ? signal.signal : signal;
}

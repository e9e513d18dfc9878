import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Memory of a dropped instance lives until the garbage collector finds it, which looks at the JavaScript heap and may
 * not run for a long time. So the bytes are counted, and above a limit a collection is forced.
 */
export class Garbage {
  readonly #bytesMax: number;
  #bytes = 0;
  #collect: (() => void) | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(byteLength: number): void {
    this.#bytes += byteLength;
  }

  /** To be called outside a handler. */
  collectIfFull(): void {
    if (this.#bytes < this.#bytesMax) return;
    this.#bytes = 0;
    this.#collect ??= exposeCollect();
    this.#collect();
  }
}

function exposeCollect(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

import type { Key } from '../../store/index.ts';

const BITS = 2 ** 23;
const PROBES = 4;
/** Of a CIDv1 with a hash of 32 bytes: its digest. */
const DIGEST_AT = 4;

/**
 * Which tasks may have been applied within the last `keepMs`: a Bloom filter in two generations of 1 MiB. A database that
 * another thread writes all the time is slow to look into, and nearly every task is new. It never forgets one too early;
 * at a million tasks a generation one in 25 new ones is looked for in vain.
 */
export class SeenTasks {
  readonly #keepMs: number;
  #young = new Uint32Array(BITS / 32);
  #old = new Uint32Array(BITS / 32);
  #sinceMs = performance.now();

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  add(task: Key): void {
    const nowMs = performance.now();
    if (nowMs - this.#sinceMs > this.#keepMs) {
      [this.#old, this.#young] = [this.#young, this.#old.fill(0)];
      this.#sinceMs = nowMs;
    }
    for (let i = 0; i < PROBES; i++) {
      const bit = bitOf(task, i);
      this.#young[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  mayHave(task: Key): boolean {
    return isIn(this.#young, task) || isIn(this.#old, task);
  }
}

function isIn(words: Uint32Array, task: Key): boolean {
  for (let i = 0; i < PROBES; i++) {
    const bit = bitOf(task, i);
    if ((words[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

/** A task that is too short for it shares its bits with others like it, which costs a look. */
function bitOf(task: Key, probe: number): number {
  const at = DIGEST_AT + probe * 4;
  const word =
    task.charCodeAt(at) |
    (task.charCodeAt(at + 1) << 8) |
    (task.charCodeAt(at + 2) << 16) |
    (task.charCodeAt(at + 3) << 24);
  return word & (BITS - 1);
}

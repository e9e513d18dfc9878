/**
 * A map bounded by the bytes of its values, for many small values that are looked at all the time: a hit changes nothing,
 * where keeping them in the order of their use costs more than what is done with them. Values live in two generations;
 * what is used is carried over into the young one, and when that has half of the bytes the old one is forgotten.
 */
export class HotCache<V> {
  readonly #bytesMax: number;
  #young = new Map<string, { value: V; bytes: number }>();
  #old = new Map<string, { value: V; bytes: number }>();
  #youngBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.value;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.set(key, old.value, old.bytes);
    return old.value;
  }

  /** A value larger than half of the cache is not kept. */
  set(key: string, value: V, bytes: number): void {
    if (bytes > this.#bytesMax / 2) return;
    this.#youngBytes += bytes - (this.#young.get(key)?.bytes ?? 0);
    if (this.#youngBytes > this.#bytesMax / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = bytes;
    }
    this.#young.set(key, { value, bytes });
  }

  delete(key: string): void {
    this.#old.delete(key);
    const young = this.#young.get(key);
    if (young === undefined) return;
    this.#young.delete(key);
    this.#youngBytes -= young.bytes;
  }
}

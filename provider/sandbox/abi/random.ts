/**
 * The byte stream behind `random`: block i is sha256(seed || i as 8 bytes, little endian), and the stream is block 0,
 * block 1, and so on. Consecutive calls continue where the last one stopped.
 */
export class RandomStream {
  readonly #sha256: (bytes: Uint8Array) => Uint8Array;
  readonly #source = new Uint8Array(40);
  readonly #counter = new DataView(this.#source.buffer, 32);
  #index = 0;
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(sha256: (bytes: Uint8Array) => Uint8Array) {
    this.#sha256 = sha256;
  }

  reset(seed: Uint8Array): void {
    this.#source.set(seed, 0);
    this.#index = 0;
    this.#block = new Uint8Array(0);
    this.#used = 0;
  }

  fill(target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      if (this.#used === this.#block.length) {
        this.#counter.setBigUint64(0, BigInt(this.#index), true);
        this.#block = this.#sha256(this.#source);
        this.#index += 1;
        this.#used = 0;
      }
      const count = Math.min(target.length - done, this.#block.length - this.#used);
      target.set(this.#block.subarray(this.#used, this.#used + count), done);
      this.#used += count;
      done += count;
    }
  }
}

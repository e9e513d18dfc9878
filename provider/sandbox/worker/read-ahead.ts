const WINDOW_BYTES = 256 * 1024;

/**
 * Small sequential reads are the usual way to read a file, and each one would be a round trip to the main thread: so
 * whole windows are fetched and the last one is kept. What the handler sees and pays is the same.
 */
export class ReadAhead {
  readonly #read: (cid: Uint8Array, offset: number, length: number) => Uint8Array;
  #cid: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #window: Uint8Array = new Uint8Array(0);

  constructor(read: (cid: Uint8Array, offset: number, length: number) => Uint8Array) {
    this.#read = read;
  }

  reset(): void {
    this.#cid = new Uint8Array(0);
    this.#window = new Uint8Array(0);
  }

  readFile(cid: Uint8Array, offset: number, length: number): Uint8Array {
    if (length >= WINDOW_BYTES) return this.#read(cid, offset, length);
    const hit = sameBytes(cid, this.#cid) && offset >= this.#offset;
    const start = offset - this.#offset;
    // A window shorter than it was asked for ends with its file.
    if (hit && (start + length <= this.#window.length || this.#window.length < WINDOW_BYTES)) {
      return this.#window.subarray(start, start + length);
    }
    this.#window = this.#read(cid, offset, WINDOW_BYTES);
    this.#cid = cid;
    this.#offset = offset;
    return this.#window.subarray(0, length);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

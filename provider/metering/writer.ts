const utf8 = new TextEncoder();

/** A growing byte buffer with WebAssembly's encodings. */
export class Writer {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Opcodes and other single bytes, in one go. */
  put(...values: number[]): void {
    this.reserve(values.length);
    for (const value of values) this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    this.reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /** A signed LEB128 of an integer in the range of safe integers. */
  signed(value: number): void {
    this.reserve(10);
    let rest = value;
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = (rest - low) / 128;
      if ((rest === 0 && low < 64) || (rest === -1 && low >= 64)) {
        this.bytes[this.length++] = low;
        return;
      }
      this.bytes[this.length++] = low | 0x80;
    }
  }

  signedBig(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && low < 64) || (rest === -1n && low >= 64)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (count <= 0) return;
    this.reserve(count);
    // A native copy costs about as much as 40 bytes by hand, and most runs between two charges are shorter.
    if (count < 40) {
      let to = this.length;
      for (let from = start; from < end; from++) this.bytes[to++] = source[from] as number;
    } else {
      this.bytes.set(source.subarray(start, end), this.length);
    }
    this.length += count;
  }

  append(other: Writer): void {
    this.copy(other.bytes, 0, other.length);
  }

  name(value: string): void {
    const encoded = utf8.encode(value);
    this.u32(encoded.length);
    this.copy(encoded, 0, encoded.length);
  }

  /** Writes a section: its id, its size, its content. Nothing when the content is empty. */
  section(id: number, content: Writer): void {
    if (content.length === 0) return;
    this.byte(id);
    this.u32(content.length);
    this.append(content);
  }

  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

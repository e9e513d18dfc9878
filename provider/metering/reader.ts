import { invalidModule } from './errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A bounded cursor over a module's bytes. Every read is checked against `end`, every LEB128 against its width. */
export class Reader {
  readonly bytes: Uint8Array;
  pos: number;
  end: number;

  constructor(bytes: Uint8Array, pos = 0, end = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  byte(): number {
    if (this.pos >= this.end) throw invalidModule('it ends too early', this.pos);
    return this.bytes[this.pos++] as number;
  }

  u32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const next = this.byte();
      value |= (next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
    const last = this.byte();
    if (last > 0x0f) throw invalidModule('a number is longer than 32 bits', this.pos - 1);
    return (value | (last << 28)) >>> 0;
  }

  /** A signed 33-bit number: a block type. The widest that fits a double without care. */
  s33(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 5; count++) {
      const next = this.byte();
      value += (next & 0x7f) * scale;
      scale *= 128;
      if (next < 0x80) return next & 0x40 ? value - scale : value;
    }
    throw invalidModule('a number is longer than 33 bits', this.pos - 1);
  }

  /** Steps over a LEB128 of at most `bytesMax` bytes (5 for 32 bits, 10 for 64). */
  skipLeb(bytesMax: number): void {
    for (let count = 0; count < bytesMax; count++) if (this.byte() < 0x80) return;
    throw invalidModule('a number is too long', this.pos - 1);
  }

  skip(count: number): void {
    if (count > this.end - this.pos) throw invalidModule('it ends too early', this.pos);
    this.pos += count;
  }

  name(bytesMax: number): string {
    const length = this.u32();
    const start = this.pos;
    this.skip(length);
    if (length > bytesMax) throw invalidModule(`a name of ${length} bytes, at most ${bytesMax} allowed`, start);
    try {
      return utf8.decode(this.bytes.subarray(start, this.pos));
    } catch {
      throw invalidModule('a name is not UTF-8', start);
    }
  }
}

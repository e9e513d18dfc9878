import { allocate } from './bytes';
import { utf8LengthMax, utf8Write } from './utf8';

const FIRST_BYTES: i32 = 256;

/**
 * Text that grows at its end, kept as the UTF-8 in which it will be sent. Joining strings would copy everything with
 * every piece, and memory that a job has used it has paid for.
 */
export class Utf8Buffer {
  bytes: ArrayBuffer = allocate(FIRST_BYTES);
  length: i32 = 0;

  /** Where the next bytes go, with room for so many. */
  reserve(length: i32): usize {
    const needed = this.length + length;
    const room = this.bytes.byteLength;
    if (needed > room) {
      const larger = __renew(changetype<usize>(this.bytes), max(needed, room << 1));
      this.bytes = changetype<ArrayBuffer>(larger);
    }
    return changetype<usize>(this.bytes) + this.length;
  }

  /** Ends the text at `end`, which lies in what was reserved. */
  endAt(end: usize): void {
    this.length = <i32>(end - changetype<usize>(this.bytes));
  }

  add(text: string): void {
    this.endAt(utf8Write(text, this.reserve(utf8LengthMax(text))));
  }

  addByte(byte: i32): void {
    store<u8>(this.reserve(1), byte);
    this.length++;
  }

  /**
   * Adds `text` with some units replaced: `replacement` gives what stands for a unit, or an empty text to keep it. Only
   * units below 0x80 may be replaced.
   */
  addReplaced(text: string, replacement: (unit: i32) => string): void {
    const length = text.length;
    let start = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) continue;
      const instead = replacement(unit);
      if (instead.length == 0) continue;
      if (i > start) this.add(text.substring(start, i));
      this.add(instead);
      start = i + 1;
    }
    this.add(start == 0 ? text : text.substring(start));
  }

  toString(): string {
    return String.UTF8.decodeUnsafe(changetype<usize>(this.bytes), this.length);
  }
}

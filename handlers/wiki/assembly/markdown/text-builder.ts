/** Text that is put together from many pieces, without a copy of the whole for each. */
export class TextBuilder {
  private buffer: ArrayBuffer;
  private length: i32 = 0;

  constructor(capacity: i32 = 256) {
    this.buffer = new ArrayBuffer(capacity << 1);
  }

  add(text: string): TextBuilder {
    const bytes = text.length << 1;
    const end = this.length + bytes;
    if (end > this.buffer.byteLength) {
      const larger = new ArrayBuffer(end << 1);
      memory.copy(changetype<usize>(larger), changetype<usize>(this.buffer), this.length);
      this.buffer = larger;
    }
    memory.copy(changetype<usize>(this.buffer) + this.length, changetype<usize>(text), bytes);
    this.length = end;
    return this;
  }

  toString(): string {
    return String.UTF16.decodeUnsafe(changetype<usize>(this.buffer), this.length);
  }
}

/** Lines as one text. Built for size, `Array#join` copies what it has for each line. */
export function joinLines(lines: string[], count: i32 = i32.MAX_VALUE): string {
  const text = new TextBuilder();
  for (let i = 0; i < min(lines.length, count); i++) {
    if (i > 0) text.add('\n');
    text.add(lines[i]);
  }
  return text.toString();
}

/** Room for one word. Those that do not fit are counted but not listed: they are hardly words. */
export const WORD_BYTES_MAX: i32 = 64;

const DISTINCT_MAX: i32 = 50_000;

/** How often each word occurred. Words are kept as UTF-8, one behind the other, in the order they were first seen. */
export class WordTable {
  /** Words told apart. */
  size: i32 = 0;
  /** Whether a word was left out because there were too many. */
  isFull: bool = false;

  /** Entry number + 1, or 0; grows with the table, so that small files need little memory. */
  private slots: StaticArray<i32> = new StaticArray<i32>(1024);
  private hashes: Array<u32> = [];
  private counts: Array<i32> = [];
  /** Where each word begins; it ends where the next begins. */
  private starts: Array<i32> = [0];
  private text: Uint8Array = new Uint8Array(16 * 1024);

  /** Counts one word of `length` bytes at `src`. */
  add(src: usize, length: i32): void {
    // FNV-1a.
    let hash: u32 = 0x811c9dc5;
    for (let i = 0; i < length; i++) hash = (hash ^ load<u8>(src + i)) * 0x01000193;
    const mask = this.slots.length - 1;
    let slot = <i32>hash & mask;
    while (true) {
      const entry = unchecked(this.slots[slot]) - 1;
      if (entry < 0) break;
      if (unchecked(this.hashes[entry]) == hash && this.isWord(entry, src, length)) {
        unchecked(this.counts[entry]++);
        return;
      }
      slot = (slot + 1) & mask;
    }
    if (this.size == DISTINCT_MAX) {
      this.isFull = true;
      return;
    }
    this.append(src, length);
    this.hashes.push(hash);
    this.counts.push(1);
    unchecked((this.slots[slot] = ++this.size));
    // Never more than two words to three slots: searches stay short.
    if (this.size * 3 > this.slots.length * 2) this.rehash();
  }

  word(entry: i32): string {
    const start = this.starts[entry];
    return String.UTF8.decodeUnsafe(this.text.dataStart + start, this.starts[entry + 1] - start);
  }

  count(entry: i32): i32 {
    return this.counts[entry];
  }

  /** The entries of the most frequent words, the most frequent first; of equals the one that came first. */
  top(limit: i32): StaticArray<i32> {
    const length = min(limit, this.size);
    const best = new StaticArray<i32>(length);
    let filled = 0;
    for (let entry = 0; entry < this.size; entry++) {
      const count = unchecked(this.counts[entry]);
      if (filled == length && (length == 0 || unchecked(this.counts[best[length - 1]]) >= count)) continue;
      let at = filled < length ? filled++ : length - 1;
      for (; at > 0 && unchecked(this.counts[best[at - 1]]) < count; at--) best[at] = best[at - 1];
      best[at] = entry;
    }
    return best;
  }

  private isWord(entry: i32, src: usize, length: i32): bool {
    const start = unchecked(this.starts[entry]);
    if (unchecked(this.starts[entry + 1]) - start != length) return false;
    return memory.compare(this.text.dataStart + start, src, length) == 0;
  }

  private append(src: usize, length: i32): void {
    const start = this.starts[this.size];
    if (start + length > this.text.length) {
      const larger = new Uint8Array(this.text.length * 2);
      larger.set(this.text);
      this.text = larger;
    }
    memory.copy(this.text.dataStart + start, src, length);
    this.starts.push(start + length);
  }

  private rehash(): void {
    const slots = new StaticArray<i32>(this.slots.length * 4);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.size; entry++) {
      let slot = <i32>this.hashes[entry] & mask;
      while (slots[slot] != 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.slots = slots;
  }
}

import { state } from './state';
import { Counter } from './state-counter';

/** Files in one directory: few enough to read, and a list of a million entries has a thousand directories. */
const PER_DIRECTORY: i64 = 1000;

/**
 * Texts in the order in which they were pushed, a file of the state for each: entry 1234 is `NAME/0000001/0000001234`, and
 * `NAME/length` says how many were pushed. What was removed leaves a gap: the others keep their indices.
 */
export class List {
  private counter: Counter;

  constructor(private name: string) {
    this.counter = new Counter(name + '/length');
  }

  /** How many entries were pushed, removed ones included: the index of the next. */
  get length(): i64 {
    return this.counter.value;
  }

  /** Appends a text and returns its index. */
  push(text: string): i64 {
    const index = this.counter.add() - 1;
    state.writeText(this.file(index), text);
    return index;
  }

  /** The text at `index`, or null where there is none (any more). */
  get(index: i64): string | null {
    return index < 0 ? null : state.readText(this.file(index));
  }

  /** Replaces the text at `index`, which must have been pushed. */
  set(index: i64, text: string): void {
    if (index < 0 || index >= this.length) throw new RangeError('a List has no entry ' + index.toString());
    state.writeText(this.file(index), text);
  }

  /** Removes the text at `index`; false when there was none. */
  remove(index: i64): bool {
    return index >= 0 && state.remove(this.file(index));
  }

  /** The texts from index `from` up to and without `to`, gaps left out. */
  slice(from: i64 = 0, to: i64 = i64.MAX_VALUE): string[] {
    const texts: string[] = [];
    const end = min(to, this.length);
    for (let index = max(from, 0); index < end; index++) {
      const text = this.get(index);
      if (text !== null) texts.push(text);
    }
    return texts;
  }

  /** The last `n` texts, the newest first, gaps left out. */
  newest(n: i32): string[] {
    const texts: string[] = [];
    for (let index = this.length - 1; index >= 0 && texts.length < n; index--) {
      const text = this.get(index);
      if (text !== null) texts.push(text);
    }
    return texts;
  }

  private file(index: i64): string {
    const directory = (index / PER_DIRECTORY).toString().padStart(7, '0');
    return this.name + '/' + directory + '/' + index.toString().padStart(10, '0');
  }
}

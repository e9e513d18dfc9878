export interface Queued {
  readonly consumer: string;
  readonly priority: number;
}

interface Line<T> {
  readonly consumer: string;
  items: T[];
  /** Index of the first item that was not taken yet. */
  first: number;
  /** Work that this consumer has got, in the queue's virtual milliseconds. */
  virtualMs: number;
  /** Its place in the heap; -1 outside. */
  at: number;
}

/** One of so many jobs is the lowest priority's, so that it never starves. */
const LOWEST_EVERY = 16;

/**
 * Who is next: the highest priority, and within it the consumer that has got the least work so far (start-time fair
 * queueing). A consumer that was away comes back at the level of those who are waiting: it can neither save up its turns
 * nor be punished for what it used while nobody else was waiting.
 */
export class FairQueue<T extends Queued> {
  readonly #levels: Level<T>[] = [];
  #size = 0;
  #taken = 0;

  constructor(priorities: number) {
    for (let i = 0; i < priorities; i++) this.#levels.push(new Level());
  }

  get size(): number {
    return this.#size;
  }

  sizeOf(consumer: string): number {
    let size = 0;
    for (const level of this.#levels) size += level.sizeOf(consumer);
    return size;
  }

  push(item: T): void {
    this.#level(item).push(item);
    this.#size += 1;
  }

  /** Puts an item back in front of its consumer's line. */
  unshift(item: T): void {
    this.#level(item).unshift(item);
    this.#size += 1;
  }

  peek(): T | undefined {
    return this.#next()?.peek();
  }

  /** Takes what `peek` showed; `costMs` is what its work is expected to take. */
  shift(costMs: number): T | undefined {
    const item = this.#next()?.shift(costMs);
    if (item === undefined) return undefined;
    this.#size -= 1;
    this.#taken += 1;
    return item;
  }

  remove(item: T): boolean {
    const removed = this.#level(item).remove(item);
    if (removed) this.#size -= 1;
    return removed;
  }

  /** Work that took longer or shorter than `shift` was told. */
  correct(item: Queued, differenceMs: number): void {
    this.#level(item).correct(item.consumer, differenceMs);
  }

  #level(item: Queued): Level<T> {
    const level = this.#levels[item.priority];
    if (level === undefined)
      throw new RangeError(`priority ${item.priority} is not from 0 to ${this.#levels.length - 1}`);
    return level;
  }

  #next(): Level<T> | undefined {
    const lowestFirst = this.#taken % LOWEST_EVERY === LOWEST_EVERY - 1;
    const waits = (level: Level<T>): boolean => level.size > 0;
    return lowestFirst ? this.#levels.find(waits) : this.#levels.findLast(waits);
  }
}

class Level<T extends Queued> {
  readonly #lines = new Map<string, Line<T>>();
  /** Lines with items, as a heap by virtual time. */
  readonly #heap: Line<T>[] = [];
  #nowMs = 0;
  size = 0;

  sizeOf(consumer: string): number {
    const line = this.#lines.get(consumer);
    return line === undefined ? 0 : line.items.length - line.first;
  }

  push(item: T): void {
    const line = this.#lineOf(item.consumer);
    line.items.push(item);
    this.#added(line);
  }

  unshift(item: T): void {
    const line = this.#lineOf(item.consumer);
    if (line.first > 0) {
      line.first -= 1;
      line.items[line.first] = item;
    } else {
      line.items.unshift(item);
    }
    this.#added(line);
  }

  peek(): T | undefined {
    const line = this.#heap[0];
    return line?.items[line.first];
  }

  shift(costMs: number): T | undefined {
    const line = this.#heap[0];
    if (line === undefined) return undefined;
    const item = line.items[line.first];
    line.first += 1;
    this.size -= 1;
    this.#nowMs = Math.max(this.#nowMs, line.virtualMs);
    line.virtualMs += costMs;
    if (line.first === line.items.length) this.#retire(line);
    else {
      compact(line);
      this.#sink(0);
    }
    return item;
  }

  remove(item: T): boolean {
    const line = this.#lines.get(item.consumer);
    const index = line?.items.indexOf(item, line.first) ?? -1;
    if (line === undefined || index < 0) return false;
    line.items.splice(index, 1);
    this.size -= 1;
    if (line.first === line.items.length) this.#retire(line);
    return true;
  }

  correct(consumer: string, differenceMs: number): void {
    const line = this.#lines.get(consumer);
    if (line === undefined) return;
    line.virtualMs = Math.max(line.virtualMs + differenceMs, 0);
    if (line.at < 0) return;
    this.#rise(line.at);
    this.#sink(line.at);
  }

  #lineOf(consumer: string): Line<T> {
    let line = this.#lines.get(consumer);
    if (line === undefined) {
      line = { consumer, items: [], first: 0, virtualMs: this.#nowMs, at: -1 };
      this.#lines.set(consumer, line);
    }
    return line;
  }

  /** After one item was added to a line. */
  #added(line: Line<T>): void {
    this.size += 1;
    if (line.items.length - line.first > 1) return;
    line.virtualMs = Math.max(line.virtualMs, this.#nowMs);
    line.at = this.#heap.push(line) - 1;
    this.#rise(line.at);
  }

  /** A line without items leaves the heap; it is forgotten once its lead has been caught up with. */
  #retire(line: Line<T>): void {
    line.items = [];
    line.first = 0;
    const { at } = line;
    line.at = -1;
    const last = this.#heap.pop();
    if (last !== undefined && last !== line) {
      this.#heap[at] = last;
      last.at = at;
      this.#rise(last.at);
      this.#sink(last.at);
    }
    for (const other of this.#lines.values()) {
      if (other.items.length > 0 || other.virtualMs > this.#nowMs) break;
      this.#lines.delete(other.consumer);
    }
    if (this.#lines.size > this.#heap.length + LEADS_MAX) this.#lines.delete(line.consumer);
  }

  #rise(at: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLess(at, parent)) return;
      at = parent;
    }
  }

  #sink(at: number): void {
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const child = right < this.#heap.length && this.#less(right, left) ? right : left;
      if (child >= this.#heap.length || !this.#swapIfLess(child, at)) return;
      at = child;
    }
  }

  #less(a: number, b: number): boolean {
    return (this.#heap[a]?.virtualMs ?? 0) < (this.#heap[b]?.virtualMs ?? 0);
  }

  #swapIfLess(a: number, b: number): boolean {
    const lineA = this.#heap[a];
    const lineB = this.#heap[b];
    if (lineA === undefined || lineB === undefined || lineA.virtualMs >= lineB.virtualMs) return false;
    this.#heap[a] = lineB;
    this.#heap[b] = lineA;
    lineB.at = a;
    lineA.at = b;
    return true;
  }
}

/** Lines without items that are remembered for the work they have got. */
const LEADS_MAX = 4096;

/** Drops the taken items of a line when they are most of it. */
function compact<T>(line: Line<T>): void {
  if (line.first < 64 || line.first * 2 < line.items.length) return;
  line.items = line.items.slice(line.first);
  line.first = 0;
}

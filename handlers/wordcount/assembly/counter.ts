import { fold, isPunctuation, isSpace } from './characters';
import { WORD_BYTES_MAX, WordTable } from './word-table';

const REPLACEMENT: i32 = 0xfffd;

/**
 * Counts a file that comes in pieces, which may end anywhere, also inside a character. Bytes that are no UTF-8 count as
 * one character each, which belongs to a word like any letter.
 */
export class Counter {
  lines: i64 = 0;
  words: i64 = 0;
  characters: i64 = 0;
  bytes: i64 = 0;

  // The character that is being read: its value so far, how many bytes are missing, and how many it has.
  private point: i32 = 0;
  private missing: i32 = 0;
  private size: i32 = 0;

  // The word that is being read, without the punctuation before it; up to `wordEnd` also without that behind it.
  private inWord: bool = false;
  private word: StaticArray<u8> = new StaticArray<u8>(WORD_BYTES_MAX);
  private length: i32 = 0;
  private wordEnd: i32 = 0;
  private isTooLong: bool = false;

  /** Without a table, words are counted but not told apart. */
  constructor(public table: WordTable | null) {}

  add(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    for (let at = chunk.dataStart, end = at + chunk.length; at < end; at++) {
      const byte: i32 = load<u8>(at);
      if (this.missing == 0) {
        this.begin(byte);
      } else if ((byte & 0xc0) == 0x80) {
        this.point = (this.point << 6) | (byte & 0x3f);
        if (--this.missing == 0) this.complete();
      } else {
        this.breakOff();
        this.begin(byte);
      }
    }
  }

  end(): void {
    if (this.missing > 0) this.breakOff();
    this.endWord();
  }

  private begin(byte: i32): void {
    if (byte < 0x80) {
      this.character(byte);
    } else if (byte < 0xc2 || byte > 0xf4) {
      this.character(REPLACEMENT);
    } else {
      this.size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      this.missing = this.size - 1;
      this.point = byte & (0x7f >> this.size);
    }
  }

  private complete(): void {
    const point = this.point;
    const shortest = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (shortest == this.size && point <= 0x10ffff && point >> 11 != 0x1b) {
      this.character(point);
    } else {
      for (let i = 0; i < this.size; i++) this.character(REPLACEMENT);
    }
  }

  /** The character lacks bytes: those that there are count as one each. */
  private breakOff(): void {
    for (let i = this.missing; i < this.size; i++) this.character(REPLACEMENT);
    this.missing = 0;
  }

  private character(point: i32): void {
    this.characters++;
    if (isSpace(point)) {
      if (point == 0x0a) this.lines++;
      this.endWord();
      return;
    }
    if (!this.inWord) {
      this.inWord = true;
      this.words++;
    }
    if (this.table !== null) this.extend(point);
  }

  private extend(point: i32): void {
    const punctuation = isPunctuation(point);
    if (punctuation && this.length == 0) return;
    if (this.length > WORD_BYTES_MAX - 4) {
      this.isTooLong = true;
      return;
    }
    const small = fold(point);
    const start = changetype<usize>(this.word) + this.length;
    if (small < 0x80) {
      store<u8>(start, small);
      this.length += 1;
    } else if (small < 0x800) {
      store<u8>(start, 0xc0 | (small >> 6));
      store<u8>(start, 0x80 | (small & 0x3f), 1);
      this.length += 2;
    } else if (small < 0x10000) {
      store<u8>(start, 0xe0 | (small >> 12));
      store<u8>(start, 0x80 | ((small >> 6) & 0x3f), 1);
      store<u8>(start, 0x80 | (small & 0x3f), 2);
      this.length += 3;
    } else {
      store<u8>(start, 0xf0 | (small >> 18));
      store<u8>(start, 0x80 | ((small >> 12) & 0x3f), 1);
      store<u8>(start, 0x80 | ((small >> 6) & 0x3f), 2);
      store<u8>(start, 0x80 | (small & 0x3f), 3);
      this.length += 4;
    }
    if (!punctuation) this.wordEnd = this.length;
  }

  private endWord(): void {
    this.inWord = false;
    const table = this.table;
    if (table !== null && this.wordEnd > 0 && !this.isTooLong) table.add(changetype<usize>(this.word), this.wordEnd);
    this.length = 0;
    this.wordEnd = 0;
    this.isTooLong = false;
  }
}

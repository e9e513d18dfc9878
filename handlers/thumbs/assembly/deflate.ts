import { makeCode } from './code-lengths';
import { CODE_BITS_MAX } from './huffman';

const LITERALS: i32 = 286;
const DISTANCES: i32 = 30;
const LENGTH_CODES: i32 = 19;
const LENGTH_CODE_BITS_MAX: i32 = 7;
const END_OF_BLOCK: i32 = 256;
const MATCH_MIN: i32 = 4;
const MATCH_MAX: i32 = 258;
const DISTANCE_MAX: i32 = 32 * 1024;
const HASH_BITS: i32 = 12;
/** Literals and matches in a block, which shares one pair of codes. */
const TOKENS_MAX: i32 = 16 * 1024;
const ADLER_BASE: u32 = 65_521;
/** As many sums as fit in 32 bits before they must be reduced (zlib's NMAX). */
const ADLER_COUNT: i32 = 5552;

/** Compresses bytes in memory into a zlib stream (RFC 1950, 1951): greedy matches, Huffman codes made for each block. */
export class Deflater {
  private target: Uint8Array;
  private length: i32 = 0;
  private hold: u64 = 0;
  private bitCount: i32 = 0;
  /** `length << 16 | distance` of a match; a literal has length 0. */
  private tokens: StaticArray<u32> = new StaticArray<u32>(TOKENS_MAX);
  private tokenCount: i32 = 0;
  private literalCounts: StaticArray<u32> = new StaticArray<u32>(LITERALS);
  private distanceCounts: StaticArray<u32> = new StaticArray<u32>(DISTANCES);
  private literalLengths: Uint8Array = new Uint8Array(LITERALS);
  private distanceLengths: Uint8Array = new Uint8Array(DISTANCES);
  private literalCodes: StaticArray<u16> = new StaticArray<u16>(LITERALS);
  private distanceCodes: StaticArray<u16> = new StaticArray<u16>(DISTANCES);

  private constructor(sourceLength: i32) {
    // A token is at most 15 bits for each byte it stands for, and a block's codes at most 400 bytes.
    this.target = new Uint8Array(2 * sourceLength + 1024);
  }

  static compress(source: Uint8Array): Uint8Array {
    const deflater = new Deflater(source.length);
    deflater.put(0x0178, 16);
    deflater.findMatches(source.dataStart, source.length);
    deflater.writeBlock(true);
    deflater.put(0, (8 - (deflater.bitCount & 7)) & 7);
    const sum = bswap<u32>(adler32(source.dataStart, source.length));
    deflater.put(sum & 0xffff, 16);
    deflater.put(sum >>> 16, 16);
    return deflater.target.subarray(0, deflater.length);
  }

  private findMatches(source: usize, length: i32): void {
    const heads = new StaticArray<i32>(1 << HASH_BITS);
    heads.fill(-1);
    let at = 0;
    while (at < length) {
      let matched = 0;
      let from = -1;
      if (at + 8 <= length) {
        const hash = (load<u32>(source + at) * 0x9e3779b1) >>> (32 - HASH_BITS);
        from = unchecked(heads[hash]);
        unchecked((heads[hash] = at));
        if (from >= 0 && at - from <= DISTANCE_MAX)
          matched = sameBytes(source + from, source + at, min(MATCH_MAX, length - at));
      }
      if (matched >= MATCH_MIN) {
        this.add((matched << 16) | (at - from));
        unchecked(this.literalCounts[lengthSymbol(matched)]++);
        unchecked(this.distanceCounts[distanceSymbol(at - from)]++);
        at += matched;
      } else {
        const byte: i32 = load<u8>(source + at++);
        this.add(byte);
        unchecked(this.literalCounts[byte]++);
      }
    }
  }

  private add(token: u32): void {
    if (this.tokenCount == TOKENS_MAX) this.writeBlock(false);
    unchecked((this.tokens[this.tokenCount++] = token));
  }

  private writeBlock(isLast: bool): void {
    this.literalCounts[END_OF_BLOCK] = 1;
    makeCode(this.literalCounts, LITERALS, CODE_BITS_MAX, this.literalLengths, this.literalCodes);
    makeCode(this.distanceCounts, DISTANCES, CODE_BITS_MAX, this.distanceLengths, this.distanceCodes);
    this.put(isLast ? 0b101 : 0b100, 3);
    this.writeCodes();
    for (let i = 0; i < this.tokenCount; i++) {
      const token = unchecked(this.tokens[i]);
      const length: i32 = token >>> 16;
      if (length == 0) {
        this.putLiteral(token);
        continue;
      }
      // Codes for lengths and distances come in groups; each group has one extra bit more than the one before it.
      this.putLiteral(lengthSymbol(length));
      const lengthBits = lengthExtra(length);
      this.put((length - 3) & ((1 << lengthBits) - 1), lengthBits);
      const distance: i32 = token & 0xffff;
      const symbol = distanceSymbol(distance);
      this.put(unchecked(this.distanceCodes[symbol]), unchecked(this.distanceLengths[symbol]));
      const distanceBits = symbol < 4 ? 0 : (symbol >> 1) - 1;
      this.put((distance - 1) & ((1 << distanceBits) - 1), distanceBits);
    }
    this.putLiteral(END_OF_BLOCK);
    this.tokenCount = 0;
    this.literalCounts.fill(0);
    this.distanceCounts.fill(0);
  }

  /** Both codes' lengths, as one list with its zeros run together. */
  private writeCodes(): void {
    const literals = usedSize(this.literalLengths, 257);
    const distances = usedSize(this.distanceLengths, 1);
    const all = new Uint8Array(literals + distances);
    all.set(this.literalLengths.subarray(0, literals));
    all.set(this.distanceLengths.subarray(0, distances), literals);
    // Symbol, and behind it the value of its extra bits.
    const symbols = new Array<u8>();
    const counts = new StaticArray<u32>(LENGTH_CODES);
    for (let i = 0; i < all.length;) {
      const value = all[i];
      let run = 1;
      while (i + run < all.length && all[i + run] == value && run < 138) run++;
      let symbol = value;
      let extra = 0;
      if (value == 0 && run >= 3) {
        symbol = run < 11 ? 17 : 18;
        extra = run < 11 ? run - 3 : run - 11;
      } else if (i > 0 && all[i - 1] == value && run >= 3) {
        run = min(run, 6);
        symbol = 16;
        extra = run - 3;
      } else {
        run = 1;
      }
      symbols.push(symbol);
      symbols.push(<u8>extra);
      counts[symbol]++;
      i += run;
    }
    const lengths = new Uint8Array(LENGTH_CODES);
    const codes = new StaticArray<u16>(LENGTH_CODES);
    makeCode(counts, LENGTH_CODES, LENGTH_CODE_BITS_MAX, lengths, codes);
    const order = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
    let sent = LENGTH_CODES;
    while (sent > 4 && lengths[load<u8>(order + sent - 1)] == 0) sent--;
    this.put(literals - 257, 5);
    this.put(distances - 1, 5);
    this.put(sent - 4, 4);
    for (let i = 0; i < sent; i++) this.put(lengths[load<u8>(order + i)], 3);
    for (let i = 0; i < symbols.length; i += 2) {
      const symbol = symbols[i];
      this.put(codes[symbol], lengths[symbol]);
      if (symbol > 15) this.put(symbols[i + 1], symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
    }
  }

  private putLiteral(symbol: i32): void {
    this.put(unchecked(this.literalCodes[symbol]), unchecked(this.literalLengths[symbol]));
  }

  private put(value: u32, count: i32): void {
    let hold = this.hold | ((<u64>value) << this.bitCount);
    let bitCount = this.bitCount + count;
    for (; bitCount >= 8; bitCount -= 8) {
      unchecked((this.target[this.length++] = <u8>hold));
      hold >>= 8;
    }
    this.hold = hold;
    this.bitCount = bitCount;
  }
}

function lengthExtra(length: i32): i32 {
  return length < 11 || length == MATCH_MAX ? 0 : 29 - clz(length - 3);
}

function lengthSymbol(length: i32): i32 {
  if (length == MATCH_MAX) return 285;
  const extra = lengthExtra(length);
  return 257 + (extra << 2) + ((length - 3) >> extra);
}

function distanceSymbol(distance: i32): i32 {
  const rest = distance - 1;
  if (rest < 4) return rest;
  const extra = 30 - clz(rest);
  return (extra << 1) + (rest >> extra);
}

function sameBytes(a: usize, b: usize, limit: i32): i32 {
  let length = 0;
  while (length < limit && load<u8>(a + length) == load<u8>(b + length)) length++;
  return length;
}

/** Symbols up to the last one that has a code, and at least `least`. */
function usedSize(lengths: Uint8Array, least: i32): i32 {
  let size = lengths.length;
  while (size > least && lengths[size - 1] == 0) size--;
  return size;
}

function adler32(at: usize, length: i32): u32 {
  let a: u32 = 1;
  let b: u32 = 0;
  while (length > 0) {
    const end = at + min(length, ADLER_COUNT);
    length -= ADLER_COUNT;
    for (; at < end; at++) {
      a += load<u8>(at);
      b += a;
    }
    a %= ADLER_BASE;
    b %= ADLER_BASE;
  }
  return (b << 16) | a;
}

import { FAST_BITS, Huffman } from './huffman';

/** How far back a match can reach. */
const WINDOW_BYTES: i32 = 32 * 1024;
const BUFFER_BYTES: i32 = WINDOW_BYTES + 64 * 1024;
const MATCH_MAX: i32 = 258;
/** Matches are copied eight bytes at a time, so a few more than asked for. */
const SLACK_BYTES: i32 = 8;
const LITERALS: i32 = 288;
const DISTANCES: i32 = 30;
const LENGTH_CODES: i32 = 19;
const END_OF_BLOCK: i32 = 256;
const FAST_MASK: u64 = (1 << FAST_BITS) - 1;

const BETWEEN_BLOCKS: i32 = 0;
const STORED: i32 = 1;
const COMPRESSED: i32 = 2;
const DONE: i32 = 3;

/** Base and extra bits of each length code, `base << 4 | bits`, and of each distance code. */
const lengthCodes: StaticArray<u16> = lengthCodesOf();
const distanceCodes: StaticArray<u32> = distanceCodesOf();

function lengthCodesOf(): StaticArray<u16> {
  const codes = new StaticArray<u16>(29);
  let base = 3;
  for (let code = 0; code < 28; code++) {
    const bits = code < 8 ? 0 : (code - 4) >> 2;
    codes[code] = <u16>((base << 4) | bits);
    base += 1 << bits;
  }
  codes[28] = <u16>(MATCH_MAX << 4);
  return codes;
}

function distanceCodesOf(): StaticArray<u32> {
  const codes = new StaticArray<u32>(DISTANCES);
  let base = 1;
  for (let code = 0; code < DISTANCES; code++) {
    const bits = code < 4 ? 0 : (code - 2) >> 1;
    codes[code] = (base << 4) | bits;
    base += 1 << bits;
  }
  return codes;
}

/**
 * Reads a zlib stream (RFC 1950) that lies in memory between `at` and `end`, with eight more readable bytes behind it. Its
 * checksum is not looked at: the chunks of a PNG have their own, over the same bytes.
 */
export class Inflater {
  /** What is wrong with the stream; empty while all is well. */
  problem: string = '';

  private hold: u64 = 0;
  private bitCount: i32 = 0;
  private mode: i32 = BETWEEN_BLOCKS;
  private isLast: bool = false;
  private storedLeft: i32 = 0;
  private literals: Huffman = new Huffman(LITERALS);
  private distances: Huffman = new Huffman(LITERALS);
  /** What was decoded: history that matches refer to, then what is not yet read. */
  private base: usize = heap.alloc(BUFFER_BYTES + MATCH_MAX + SLACK_BYTES);
  private readAt: usize = 0;
  private writeAt: usize = 0;
  private lengths: StaticArray<u8> = new StaticArray<u8>(LITERALS + 32);

  constructor(
    private at: usize,
    private end: usize,
  ) {
    this.readAt = this.base;
    this.writeAt = this.base;
    const header = this.take(16);
    const method = header & 0xff;
    if ((method & 15) != 8 || method > 0x78 || ((method << 8) | (header >>> 8)) % 31 != 0 || (header & 0x2000) != 0) {
      this.fail('its image data is not a zlib stream');
    }
  }

  /** Decodes the next `length` bytes to `target`; false when there is a problem. */
  read(target: usize, length: i32): bool {
    while (true) {
      const ready = min(length, <i32>(this.writeAt - this.readAt));
      memory.copy(target, this.readAt, ready);
      this.readAt += ready;
      target += ready;
      length -= ready;
      if (length == 0) return true;
      this.fill();
      if (this.problem.length > 0) return false;
      if (this.mode == DONE && this.writeAt == this.readAt) return this.fail('its image data ends too early');
    }
  }

  /** Decodes as much as there is room for. Everything decoded before has been read. */
  private fill(): void {
    const history = min(<i32>(this.writeAt - this.base), WINDOW_BYTES);
    memory.copy(this.base, this.writeAt - history, history);
    this.readAt = this.writeAt = this.base + history;
    const full = this.base + BUFFER_BYTES;
    while (this.mode != DONE && this.writeAt < full && this.problem.length == 0) {
      if (this.mode == STORED) this.copyStored(<i32>(full - this.writeAt));
      else if (this.mode == COMPRESSED) this.decode(full);
      else this.beginBlock();
      // More was taken than there is: the last bits were not the stream's.
      if (this.at - (this.bitCount >> 3) > this.end) this.fail('its image data ends too early');
    }
  }

  private fail(problem: string): bool {
    if (this.problem.length == 0) this.problem = problem;
    return false;
  }

  private refill(): void {
    if (this.at > this.end) return;
    this.hold |= load<u64>(this.at) << this.bitCount;
    this.at += (63 - this.bitCount) >> 3;
    this.bitCount |= 56;
  }

  /** The next bits, at most 16. Behind the end of the stream there are zeros, and `fill` notices. */
  private take(count: i32): i32 {
    if (this.bitCount < count) this.refill();
    const bits = <i32>(this.hold & ((1 << count) - 1));
    this.hold >>= count;
    this.bitCount -= count;
    return bits;
  }

  private beginBlock(): void {
    if (this.isLast) {
      this.mode = DONE;
      return;
    }
    this.isLast = this.take(1) != 0;
    const type = this.take(2);
    if (type == 0) this.beginStored();
    else if (type == 1) this.beginFixed();
    else if (type == 2) this.beginDynamic();
    else this.fail('its image data has a block of an unknown type');
  }

  private beginStored(): void {
    this.take(this.bitCount & 7);
    const length = this.take(16);
    if ((length ^ this.take(16)) != 0xffff) {
      this.fail('its image data has a stored block whose length is wrong');
      return;
    }
    // What is held in whole bytes goes back.
    this.at -= this.bitCount >> 3;
    this.hold = 0;
    this.bitCount = 0;
    this.storedLeft = length;
    this.mode = length > 0 ? STORED : BETWEEN_BLOCKS;
  }

  private copyStored(room: i32): void {
    const length = min(room, this.storedLeft);
    if (this.at > this.end || <usize>length > this.end - this.at) {
      this.fail('its image data ends too early');
      return;
    }
    memory.copy(this.writeAt, this.at, length);
    this.at += length;
    this.writeAt += length;
    this.storedLeft -= length;
    if (this.storedLeft == 0) this.mode = BETWEEN_BLOCKS;
  }

  private beginFixed(): void {
    const lengths = changetype<usize>(this.lengths);
    memory.fill(lengths, 8, 144);
    memory.fill(lengths + 144, 9, 112);
    memory.fill(lengths + 256, 7, 24);
    memory.fill(lengths + 280, 8, 8);
    this.literals.build(lengths, LITERALS);
    memory.fill(lengths, 5, 32);
    this.distances.build(lengths, 32);
    this.mode = COMPRESSED;
  }

  private beginDynamic(): void {
    const literals = this.take(5) + 257;
    const distances = this.take(5) + 1;
    const codes = this.take(4) + 4;
    const lengths = changetype<usize>(this.lengths);
    memory.fill(lengths, 0, LENGTH_CODES);
    const order = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
    for (let i = 0; i < codes; i++) store<u8>(lengths + load<u8>(order + i), this.take(3));
    const isGood = literals <= 286 && this.distances.build(lengths, LENGTH_CODES);
    if (!isGood || !this.readLengths(literals + distances)) {
      this.fail('its image data has a block with a wrong Huffman code');
      return;
    }
    // Without a code for the block's end there would be no end.
    if (
      load<u8>(lengths + END_OF_BLOCK) == 0 ||
      !this.literals.build(lengths, literals) ||
      !this.distances.build(lengths + literals, distances)
    ) {
      this.fail('its image data has a block with a wrong Huffman code');
      return;
    }
    this.mode = COMPRESSED;
  }

  /** The lengths of both codes, which are one list, themselves compressed with the code in `distances`. */
  private readLengths(count: i32): bool {
    const lengths = changetype<usize>(this.lengths);
    for (let i = 0; i < count;) {
      if (this.bitCount < 32) this.refill();
      const found = this.distances.slow(<u32>this.hold);
      if (found == 0 || this.bitCount < (found & 15)) return false;
      this.take(found & 15);
      const symbol = found >> 4;
      if (symbol < 16) {
        store<u8>(lengths + i++, symbol);
        continue;
      }
      let repeated: u8 = 0;
      let times = 0;
      if (symbol == 16) {
        if (i == 0) return false;
        repeated = load<u8>(lengths + i - 1);
        times = 3 + this.take(2);
      } else {
        times = symbol == 17 ? 3 + this.take(3) : 11 + this.take(7);
      }
      if (times > count - i) return false;
      memory.fill(lengths + i, repeated, times);
      i += times;
    }
    return true;
  }

  /** Symbols of a block with Huffman codes, until the buffer is full or the block ends. */
  private decode(full: usize): void {
    const literals = this.literals;
    const distances = this.distances;
    const end = this.end;
    let at = this.at;
    let hold = this.hold;
    let bitCount = this.bitCount;
    let out = this.writeAt;
    while (out < full) {
      // Enough for one literal or length with its extra bits, and a distance with its own: 15 + 5 + 15 + 13.
      if (bitCount < 48) {
        if (at > end) {
          if (at - (bitCount >> 3) > end) break;
        } else {
          hold |= load<u64>(at) << bitCount;
          at += (63 - bitCount) >> 3;
          bitCount |= 56;
        }
      }
      let found: i32 = unchecked(literals.fast[<i32>(hold & FAST_MASK)]);
      if (found == 0) found = literals.slow(<u32>hold);
      if (found == 0) {
        this.fail('its image data has a code that means nothing');
        break;
      }
      hold >>= found & 15;
      bitCount -= found & 15;
      const symbol = found >> 4;
      if (symbol < END_OF_BLOCK) {
        store<u8>(out++, symbol);
        continue;
      }
      if (symbol == END_OF_BLOCK) {
        this.mode = BETWEEN_BLOCKS;
        break;
      }
      if (symbol > 285) {
        this.fail('its image data has a code that means nothing');
        break;
      }
      const lengthCode: i32 = unchecked(lengthCodes[symbol - 257]);
      const length = (lengthCode >> 4) + <i32>(hold & ((1 << (lengthCode & 15)) - 1));
      hold >>= lengthCode & 15;
      bitCount -= lengthCode & 15;
      found = unchecked(distances.fast[<i32>(hold & FAST_MASK)]);
      if (found == 0) found = distances.slow(<u32>hold);
      hold >>= found & 15;
      bitCount -= found & 15;
      if (found == 0 || found >> 4 >= DISTANCES) {
        this.fail('its image data has a code that means nothing');
        break;
      }
      const distanceCode = unchecked(distanceCodes[found >> 4]);
      const distance = (distanceCode >> 4) + <u32>(hold & ((1 << (distanceCode & 15)) - 1));
      hold >>= distanceCode & 15;
      bitCount -= distanceCode & 15;
      if (distance > <u32>(out - this.base)) {
        this.fail('its image data refers to bytes before its beginning');
        break;
      }
      copyMatch(out, distance, length);
      out += length;
    }
    this.at = at;
    this.hold = hold;
    this.bitCount = max(bitCount, 0);
    this.writeAt = out;
    if (bitCount < 0) this.fail('its image data ends too early');
  }
}

function copyMatch(out: usize, distance: u32, length: i32): void {
  let from = out - distance;
  const end = out + length;
  if (distance < 8) {
    for (; out < end; out++) store<u8>(out, load<u8>(from++));
    return;
  }
  for (; out < end; out += 8) {
    store<u64>(out, load<u64>(from));
    from += 8;
  }
}

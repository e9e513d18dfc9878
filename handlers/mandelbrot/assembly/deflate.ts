const RUN_MIN: i32 = 3;
const RUN_MAX: i32 = 258;
const END_OF_BLOCK: i32 = 256;
const SYMBOLS: i32 = 286;
const ADLER_BASE: u32 = 65_521;
/** As many sums as fit in 32 bits before they must be reduced (zlib's NMAX). */
const ADLER_COUNT: i32 = 5552;

/**
 * Compresses bytes one by one into a zlib stream (RFC 1950) of a single deflate block with fixed Huffman codes (RFC
 * 1951, 3.2.6) and no matches but runs of one byte: short, needs no memory, and does well on filtered pictures.
 */
export class Deflater {
  /** Compressed bytes that wait in the buffer. */
  length: i32 = 0;

  private bits: u32 = 0;
  private bitCount: i32 = 0;
  /** The byte that is repeated, and how often it was seen but not written. -1 before the first byte. */
  private last: i32 = -1;
  private run: i32 = 0;
  private sumA: u32 = 1;
  private sumB: u32 = 0;
  private sumCount: i32 = 0;
  /** Per symbol, its code as it goes out, shifted by 4, and the code's length. */
  private codes: StaticArray<u16> = fixedCodes();

  /** Writes to `target` from `start` on; whoever calls `write` must see that there is room. */
  constructor(
    private target: Uint8Array,
    private start: i32,
  ) {}

  begin(): void {
    this.restart();
    this.put(0x0178, 16);
    // The last block, with fixed codes.
    this.put(0b011, 3);
  }

  /** Forgets what waits in the buffer, which someone has taken. */
  restart(): void {
    this.length = 0;
  }

  write(byte: u8): void {
    this.sumA += byte;
    this.sumB += this.sumA;
    if (++this.sumCount == ADLER_COUNT) this.reduceSums();
    if (byte == this.last && this.run < RUN_MAX) {
      this.run++;
    } else {
      this.writeRun();
      if (byte == this.last) {
        this.run = 1;
      } else {
        this.last = byte;
        this.symbol(byte);
      }
    }
  }

  end(): void {
    this.writeRun();
    this.symbol(END_OF_BLOCK);
    this.put(0, (8 - this.bitCount) & 7);
    this.reduceSums();
    const sum = bswap<u32>((this.sumB << 16) | this.sumA);
    this.put(sum & 0xffff, 16);
    this.put(sum >>> 16, 16);
  }

  /** The repetitions that are still owed: as one match of distance 1, or as literals when they are too few. */
  private writeRun(): void {
    const run = this.run;
    this.run = 0;
    if (run < RUN_MIN) {
      for (let i = 0; i < run; i++) this.symbol(this.last);
      return;
    }
    if (run == RUN_MAX) {
      this.symbol(285);
    } else {
      // Lengths come in groups of four codes; each group has one extra bit more than the one before it.
      const rest = run - RUN_MIN;
      const extra = rest < 8 ? 0 : 29 - clz(rest);
      this.symbol(257 + (extra << 2) + (rest >> extra));
      this.put(rest & ((1 << extra) - 1), extra);
    }
    this.put(0, 5);
  }

  private symbol(symbol: i32): void {
    const code: u32 = unchecked(this.codes[symbol]);
    this.put(code >> 4, code & 15);
  }

  private put(value: u32, count: i32): void {
    let bits = this.bits | (value << this.bitCount);
    let bitCount = this.bitCount + count;
    let at = this.target.dataStart + this.start + this.length;
    for (; bitCount >= 8; bitCount -= 8) {
      store<u8>(at++, <u8>bits);
      bits >>= 8;
      this.length++;
    }
    this.bits = bits;
    this.bitCount = bitCount;
  }

  private reduceSums(): void {
    this.sumA %= ADLER_BASE;
    this.sumB %= ADLER_BASE;
    this.sumCount = 0;
  }
}

/** The codes are sent from their highest bit on, everything else from the lowest: they are turned round here, once. */
function fixedCodes(): StaticArray<u16> {
  const codes = new StaticArray<u16>(SYMBOLS);
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    let code = 0xc0 + symbol - 280;
    let length = 8;
    if (symbol < 144) {
      code = 0x30 + symbol;
    } else if (symbol < 256) {
      code = 0x190 + symbol - 144;
      length = 9;
    } else if (symbol < 280) {
      code = symbol - 256;
      length = 7;
    }
    let reversed = 0;
    for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
    codes[symbol] = <u16>((reversed << 4) | length);
  }
  return codes;
}

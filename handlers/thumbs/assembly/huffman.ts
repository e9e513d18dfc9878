/** Codes of up to this many bits are found in one step; the few that are longer, bit by bit. */
export const FAST_BITS: i32 = 10;
const FAST_SIZE: i32 = 1 << FAST_BITS;
export const CODE_BITS_MAX: i32 = 15;

/** One Huffman code of a deflate stream (RFC 1951, 3.2.2), set up for decoding. */
export class Huffman {
  /** By the next ten bits, the symbol and the length of the code that they begin with: `symbol << 4 | length`, or 0. */
  fast: StaticArray<u16> = new StaticArray<u16>(FAST_SIZE);
  /** Codes of each length, and the symbols in the order of their codes. */
  private counts: StaticArray<i32> = new StaticArray<i32>(CODE_BITS_MAX + 1);
  private places: StaticArray<i32> = new StaticArray<i32>(CODE_BITS_MAX + 1);
  private codes: StaticArray<i32> = new StaticArray<i32>(CODE_BITS_MAX + 1);
  private symbols: StaticArray<u16>;

  constructor(symbolsMax: i32) {
    this.symbols = new StaticArray<u16>(symbolsMax);
  }

  /**
   * Sets the code up from the lengths of all symbols' codes, one byte each. False where these make no code: too many, or
   * too few. Of one symbol there may be too few, and of none, as long as nothing is read with it.
   */
  build(lengths: usize, size: i32): bool {
    const counts = this.counts;
    const places = this.places;
    const codes = this.codes;
    counts.fill(0);
    this.fast.fill(0);
    for (let symbol = 0; symbol < size; symbol++) unchecked(counts[load<u8>(lengths + symbol)]++);
    const used = size - counts[0];
    counts[0] = 0;
    let free = 1;
    let code = 0;
    let place = 0;
    for (let length = 1; length <= CODE_BITS_MAX; length++) {
      const count = unchecked(counts[length]);
      free = (free << 1) - count;
      if (free < 0) return false;
      unchecked((codes[length] = code <<= 1));
      unchecked((places[length] = place));
      code += count;
      place += count;
    }
    if (free > 0 && used > 1) return false;

    for (let symbol = 0; symbol < size; symbol++) {
      const length: i32 = load<u8>(lengths + symbol);
      if (length == 0) continue;
      unchecked((this.symbols[places[length]++] = <u16>symbol));
      const own = unchecked(codes[length]++);
      if (length > FAST_BITS) continue;
      // Codes come from their highest bit on, everything else from the lowest.
      for (let at = reverse(own, length); at < FAST_SIZE; at += 1 << length) {
        unchecked((this.fast[at] = <u16>((symbol << 4) | length)));
      }
    }
    return true;
  }

  /** What `fast` has for short codes, for any code: reads it from the low end of `bits`. 0 where there is none. */
  slow(bits: u32): i32 {
    let code = 0;
    let first = 0;
    let place = 0;
    for (let length = 1; length <= CODE_BITS_MAX; length++) {
      code |= bits & 1;
      bits >>= 1;
      const count = unchecked(this.counts[length]);
      if (code - first < count) return (unchecked(this.symbols[place + code - first]) << 4) | length;
      place += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return 0;
  }
}

export function reverse(code: i32, length: i32): i32 {
  let reversed = 0;
  for (; length > 0; length--) {
    reversed = (reversed << 1) | (code & 1);
    code >>= 1;
  }
  return reversed;
}

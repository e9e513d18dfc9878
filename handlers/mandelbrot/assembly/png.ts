/**
 * A small PNG writer: palette images (one byte a pixel), rows predicted from the row above, deflated with one block of
 * fixed Huffman codes and run lengths only. A Mandelbrot set has long runs, so this is most of what a real deflate does.
 */
const SIGNATURE: u64 = 0x0a1a0a0d474e5089;
const RUN_MAX: i32 = 258;

/** RFC 1951 3.2.5: the first length of the codes 257 to 285, and their extra bits. */
const LENGTH_BASE: StaticArray<u16> = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA: StaticArray<u8> = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];

let crcTable: StaticArray<u32> | null = null;

function crcTableOf(): StaticArray<u32> {
  let table = crcTable;
  if (table !== null) return table;
  table = new StaticArray<u32>(256);
  for (let n: u32 = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    table[n] = c;
  }
  crcTable = table;
  return table;
}

class Writer {
  bytes: Uint8Array;
  length: i32 = 0;
  private bits: u32 = 0;
  private bitCount: u32 = 0;

  constructor(capacity: i32) {
    this.bytes = new Uint8Array(capacity);
  }

  byte(value: u32): void {
    if (this.length == this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    unchecked((this.bytes[this.length++] = <u8>value));
  }

  u32be(value: u32): void {
    this.byte(value >>> 24);
    this.byte((value >>> 16) & 255);
    this.byte((value >>> 8) & 255);
    this.byte(value & 255);
  }

  /** Bits from the lowest on, as deflate wants everything but Huffman codes. */
  put(value: u32, count: u32): void {
    this.bits |= value << this.bitCount;
    this.bitCount += count;
    while (this.bitCount >= 8) {
      this.byte(this.bits & 255);
      this.bits >>>= 8;
      this.bitCount -= 8;
    }
  }

  /** A Huffman code goes out from its highest bit. */
  code(value: u32, count: u32): void {
    let reversed: u32 = 0;
    for (let i: u32 = 0; i < count; i++) reversed |= ((value >>> i) & 1) << (count - 1 - i);
    this.put(reversed, count);
  }

  symbol(symbol: u32): void {
    if (symbol < 144) this.code(0x30 + symbol, 8);
    else if (symbol < 256) this.code(0x190 + symbol - 144, 9);
    else if (symbol < 280) this.code(symbol - 256, 7);
    else this.code(0xc0 + symbol - 280, 8);
  }

  align(): void {
    if (this.bitCount > 0) this.put(0, 8 - this.bitCount);
  }
}

function deflate(data: Uint8Array): Writer {
  const out = new Writer(data.length / 4 + 64);
  out.byte(0x78);
  out.byte(0x01);
  out.put(0b011, 3);
  let a: u32 = 1;
  let b: u32 = 0;
  let i = 0;
  while (i < data.length) {
    const value = unchecked(data[i]);
    let run = 1;
    while (i + run < data.length && unchecked(data[i + run]) == value && run <= RUN_MAX) run++;
    out.symbol(value);
    const repeat = run - 1;
    if (repeat >= 3) {
      let code = 28;
      while (unchecked(LENGTH_BASE[code]) > <u16>repeat) code--;
      out.symbol(257 + code);
      out.put(repeat - unchecked(LENGTH_BASE[code]), unchecked(LENGTH_EXTRA[code]));
      // Distance 1: code 0, five bits.
      out.put(0, 5);
    } else {
      run = 1;
    }
    for (let k = 0; k < run; k++) {
      a += value;
      if (a >= 65521) a -= 65521;
      b += a;
      if (b >= 65521) b -= 65521;
    }
    i += run;
  }
  out.symbol(256);
  out.align();
  out.u32be((b << 16) | a);
  return out;
}

function chunk(out: Writer, type: string, data: Uint8Array, length: i32): void {
  out.u32be(length);
  const table = crcTableOf();
  let crc: u32 = 0xffffffff;
  for (let i = 0; i < 4; i++) {
    const byte = type.charCodeAt(i);
    out.byte(byte);
    crc = unchecked(table[(crc ^ byte) & 255]) ^ (crc >>> 8);
  }
  for (let i = 0; i < length; i++) {
    const byte: u32 = unchecked(data[i]);
    out.byte(byte);
    crc = unchecked(table[(crc ^ byte) & 255]) ^ (crc >>> 8);
  }
  out.u32be(crc ^ 0xffffffff);
}

/** `pixels` are palette indices, row by row; `palette` is red, green, blue for each index. */
export function encodePng(width: i32, height: i32, pixels: Uint8Array, palette: Uint8Array): Uint8Array {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) {
    const row = y * (width + 1);
    // Filter 2: each pixel minus the one above it.
    unchecked((rows[row] = 2));
    for (let x = 0; x < width; x++) {
      const above: u8 = y == 0 ? 0 : unchecked(pixels[(y - 1) * width + x]);
      unchecked((rows[row + 1 + x] = unchecked(pixels[y * width + x]) - above));
    }
  }
  const data = deflate(rows);
  const out = new Writer(data.length + palette.length + 128);
  for (let i = 0; i < 8; i++) out.byte(<u32>((SIGNATURE >> (8 * i)) & 255));
  const header = new Writer(13);
  header.u32be(width);
  header.u32be(height);
  header.byte(8);
  header.byte(3);
  for (let i = 0; i < 3; i++) header.byte(0);
  chunk(out, 'IHDR', header.bytes, header.length);
  chunk(out, 'PLTE', palette, palette.length);
  chunk(out, 'IDAT', data.bytes, data.length);
  chunk(out, 'IEND', new Uint8Array(0), 0);
  return out.bytes.subarray(0, out.length);
}

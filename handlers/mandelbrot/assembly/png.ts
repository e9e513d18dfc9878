import { Response } from 'workswap';
import { Deflater } from './deflate';

/** Bytes of compressed data in one chunk: what is held at a time, whatever the size of the picture. */
const CHUNK_BYTES: i32 = 32 * 1024;
/** Length and type before a chunk's data, its checksum behind. */
const CHUNK_HEAD: i32 = 8;
const CHUNK_TAIL: i32 = 4;

/** 89 50 4e 47 0d 0a 1a 0a, as memory has it. */
const SIGNATURE: u64 = 0x0a1a0a0d474e5089;
const DEPTH_BITS: u8 = 8;
const TYPE_PALETTE: u8 = 3;
/** Each pixel minus the one above it: neighbours are alike, so rows become mostly zeros. */
const FILTER_UP: u8 = 2;

/** Writes a PNG with a palette, row by row, to a response (https://www.w3.org/TR/png). */
export class PngWriter {
  private above: Uint8Array;
  private deflater: Deflater;
  private buffer: Uint8Array;
  private crcTable: StaticArray<u32> = crcTableOf();

  constructor(
    private response: Response,
    width: i32,
    height: i32,
    palette: Uint8Array,
  ) {
    const buffer = new Uint8Array(CHUNK_HEAD + CHUNK_BYTES + CHUNK_TAIL);
    this.above = new Uint8Array(width);
    this.buffer = buffer;
    this.deflater = new Deflater(buffer, CHUNK_HEAD);
    this.begin(width, height, palette);
  }

  writeRow(row: Uint8Array): void {
    const deflater = this.deflater;
    const above = this.above;
    deflater.write(FILTER_UP);
    for (let i = 0; i < row.length; i++) {
      const pixel = unchecked(row[i]);
      deflater.write(pixel - unchecked(above[i]));
      unchecked((above[i] = pixel));
      // A byte becomes at most two, and a run before it is written with it.
      if (deflater.length > CHUNK_BYTES - 16) this.writeData();
    }
  }

  /** Completes the picture; what is left of it goes out with the response. */
  end(): Response {
    this.deflater.end();
    this.writeData();
    this.writeChunk('IEND', 0);
    return this.response;
  }

  private begin(width: i32, height: i32, palette: Uint8Array): void {
    const start = this.buffer.dataStart;
    store<u64>(start, SIGNATURE);
    this.response.writeBytes(this.buffer.subarray(0, 8)).flush();
    const data = start + CHUNK_HEAD;
    store<u32>(data, bswap<u32>(width));
    store<u32>(data, bswap<u32>(height), 4);
    store<u8>(data, DEPTH_BITS, 8);
    store<u8>(data, TYPE_PALETTE, 9);
    // Deflate, adaptive filters, not interlaced: the only, the only, and the plain choice.
    store<u8>(data, 0, 10);
    store<u8>(data, 0, 11);
    store<u8>(data, 0, 12);
    this.writeChunk('IHDR', 13);
    this.buffer.set(palette, CHUNK_HEAD);
    this.writeChunk('PLTE', palette.length);
    this.deflater.begin();
  }

  private writeData(): void {
    this.writeChunk('IDAT', this.deflater.length);
    this.deflater.restart();
  }

  /** Completes the chunk whose data lies in the buffer, and sends it. */
  private writeChunk(type: string, length: i32): void {
    const start = this.buffer.dataStart;
    store<u32>(start, bswap<u32>(length));
    for (let i = 0; i < 4; i++) store<u8>(start + 4 + i, <u8>type.charCodeAt(i));
    const table = this.crcTable;
    let crc: u32 = 0xffffffff;
    // The checksum covers the type and the data.
    const end = start + CHUNK_HEAD + length;
    for (let at = start + 4; at < end; at++) crc = unchecked(table[(crc ^ load<u8>(at)) & 255]) ^ (crc >>> 8);
    store<u32>(end, bswap<u32>(crc ^ 0xffffffff));
    this.response.writeBytes(this.buffer.subarray(0, CHUNK_HEAD + length + CHUNK_TAIL)).flush();
  }
}

function crcTableOf(): StaticArray<u32> {
  const table = new StaticArray<u32>(256);
  for (let n = 0; n < 256; n++) {
    let crc: u32 = n;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    table[n] = crc;
  }
  return table;
}

import { Response } from 'workswap';
import { CHUNK_HEAD, CHUNK_TAIL, SIGNATURE, sealChunk } from '../../png/assembly/png-chunks';
import { Deflater } from './deflate';

/** Bytes of compressed data in one chunk: what is held at a time, whatever the size of the picture. */
const CHUNK_BYTES: i32 = 32 * 1024;
const DEPTH_BITS: u8 = 8;
const TYPE_PALETTE: u8 = 3;
/** Each pixel minus the one above it: neighbours are alike, so rows become mostly zeros. */
const FILTER_UP: u8 = 2;

/** Writes a PNG with a palette, row by row, to a response (https://www.w3.org/TR/png). */
export class PngWriter {
  private above: Uint8Array;
  private deflater: Deflater;
  private buffer: Uint8Array;

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
    const whole = sealChunk(this.buffer.dataStart, type, length);
    this.response.writeBytes(this.buffer.subarray(0, whole)).flush();
  }
}

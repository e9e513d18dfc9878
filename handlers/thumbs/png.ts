import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** An independent reader and writer of PNGs, plain and slow, that the handler is compared with. */

export type Pixel = [red: number, green: number, blue: number, alpha: number];

export interface Image {
  width: number;
  height: number;
  /** Eight bits a sample. */
  at(x: number, y: number): Pixel;
}

export interface Format {
  type: number;
  depth: number;
  interlaced?: boolean;
  /** The filter of each row; by default all five in turn. */
  filter?: (y: number) => number;
  palette?: number[][];
  transparency?: Buffer;
  /** Bytes in each IDAT chunk. */
  pieceBytes?: number;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

export function header(width: number, height: number, { type, depth, interlaced = false }: Format): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, type, 0, 0, interlaced ? 1 : 0], 8);
  return chunk('IHDR', data);
}

/** A PNG of chunks, between signature and end. */
export function pngOf(...chunks: Buffer[]): Buffer {
  return Buffer.concat([SIGNATURE, ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** `samples` answers the samples of a pixel, in the format's depth. */
export function encode(
  width: number,
  height: number,
  format: Format,
  samples: (x: number, y: number) => number[],
): Buffer {
  const rows = (format.interlaced === true ? PASSES : [[0, 0, 1, 1] as const]).map(([x, y, stepX, stepY]) =>
    encodeRows(Math.ceil((width - x) / stepX), Math.ceil((height - y) / stepY), format, (i, j) =>
      samples(x + i * stepX, y + j * stepY),
    ),
  );
  const data = deflateSync(Buffer.concat(rows));
  const pieces: Buffer[] = [];
  const pieceBytes = format.pieceBytes ?? 8192;
  for (let at = 0; at < data.length; at += pieceBytes) pieces.push(chunk('IDAT', data.subarray(at, at + pieceBytes)));
  return pngOf(
    header(width, height, format),
    ...(format.palette === undefined ? [] : [chunk('PLTE', Buffer.from(format.palette.flat()))]),
    ...(format.transparency === undefined ? [] : [chunk('tRNS', format.transparency)]),
    ...pieces,
  );
}

function encodeRows(
  width: number,
  height: number,
  format: Format,
  samples: (x: number, y: number) => number[],
): Buffer {
  if (width <= 0 || height <= 0) return Buffer.alloc(0);
  const bits = CHANNELS[format.type]! * format.depth;
  const step = Math.max(1, bits >> 3);
  const rows: Buffer[] = [];
  let above = Buffer.alloc((width * bits + 7) >> 3);
  for (let y = 0; y < height; y++) {
    const row = Buffer.alloc(above.length);
    let bit = 0;
    for (let x = 0; x < width; x++) {
      for (const sample of samples(x, y)) {
        for (let i = format.depth - 1; i >= 0; i--, bit++) row[bit >> 3]! |= ((sample >> i) & 1) << (7 - (bit & 7));
      }
    }
    const filter = format.filter?.(y) ?? y % 5;
    rows.push(Buffer.from([filter]), filtered(filter, row, above, step));
    above = row;
  }
  return Buffer.concat(rows);
}

function filtered(filter: number, row: Buffer, above: Buffer, step: number): Buffer {
  return Buffer.from(row.map((byte, i) => byte - predict(filter, row[i - step] ?? 0, above[i]!, above[i - step] ?? 0)));
}

function predict(filter: number, left: number, above: number, corner: number): number {
  if (filter < 2) return filter * left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const guess = left + above - corner;
  return [left, above, corner].toSorted((a, b) => Math.abs(guess - a) - Math.abs(guess - b))[0]!;
}

/** Reads what the handler writes: eight bits a sample, not interlaced, every checksum right. */
export function decode(bytes: Uint8Array): Image & { type: number } {
  const png = Buffer.from(bytes);
  if (!png.subarray(0, 8).equals(SIGNATURE)) throw new Error('no signature');
  const data: Buffer[] = [];
  let head = Buffer.alloc(0);
  const types: string[] = [];
  for (let at = 8; at < png.length;) {
    const end = at + 8 + png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    if (crc32(png.subarray(at + 4, end)) !== png.readUInt32BE(end)) throw new Error(`the checksum of ${type}`);
    if (type === 'IHDR') head = png.subarray(at + 8, end);
    if (type === 'IDAT') data.push(png.subarray(at + 8, end));
    types.push(type);
    at = end + 4;
  }
  if (types.join() !== 'IHDR,IDAT,IEND') throw new Error(`the chunks ${types.join()}`);
  const [width, height, type] = [head.readUInt32BE(0), head.readUInt32BE(4), head[9]!];
  const channels = CHANNELS[type]!;
  const rows = inflateSync(Buffer.concat(data));
  if (rows.length !== (width * channels + 1) * height) throw new Error(`${rows.length} bytes of rows`);
  const pixels = Buffer.alloc(width * channels * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width * channels; x++) {
      const at = y * width * channels + x;
      const left = x < channels ? 0 : pixels[at - channels]!;
      const above = y === 0 ? 0 : pixels[at - width * channels]!;
      const corner = x < channels || y === 0 ? 0 : pixels[at - width * channels - channels]!;
      const row = y * (width * channels + 1);
      pixels[at] = rows[row + 1 + x]! + predict(rows[row]!, left, above, corner);
    }
  }
  const at = (x: number, y: number): Pixel => {
    const start = (y * width + x) * channels;
    const samples = pixels.subarray(start, start + channels);
    if (channels < 3) return [samples[0]!, samples[0]!, samples[0]!, samples[1] ?? 255];
    return [samples[0]!, samples[1]!, samples[2]!, samples[3] ?? 255];
  };
  return { width, height, type, at };
}

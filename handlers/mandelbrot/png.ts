import { crc32, inflateSync } from 'node:zlib';

export interface Picture {
  width: number;
  height: number;
  /** Red, green and blue of each index. */
  palette: Uint8Array;
  /** The index of each pixel, row by row. */
  pixels: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * Reads a PNG as strictly as the specification allows: signature, every chunk's checksum, their order, the zlib stream
 * with its own checksum, the filters and the number of rows. Knows pictures with a palette only.
 */
export function decodePng(bytes: Uint8Array): Picture {
  const png = Buffer.from(bytes);
  assert(png.subarray(0, 8).equals(SIGNATURE), 'the signature');
  const types: string[] = [];
  const data: Buffer[] = [];
  let header = Buffer.alloc(0);
  let palette = Buffer.alloc(0);
  for (let at = 8; at < png.length;) {
    const end = at + 8 + png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const content = png.subarray(at + 8, end);
    assert(crc32(png.subarray(at + 4, end)) === png.readUInt32BE(end), `the checksum of ${type}`);
    if (type === 'IHDR') header = content;
    if (type === 'PLTE') palette = content;
    if (type === 'IDAT') data.push(content);
    types.push(type);
    at = end + 4;
  }
  assert(/^IHDR PLTE( IDAT)+ IEND$/.test(types.join(' ')), `the chunks ${types.join(' ')}`);
  // Eight bits, palette, deflate, adaptive filters, not interlaced.
  assert(header.length === 13 && header.subarray(8).equals(Buffer.from([8, 3, 0, 0, 0])), 'the header');
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const rows = inflateSync(Buffer.concat(data));
  assert(rows.length === (width + 1) * height, `${rows.length} bytes of rows`);
  return { width, height, palette, pixels: unfilter(rows, width, height) };
}

function unfilter(rows: Buffer, width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    assert(filter === 0 || filter === 2, `filter ${filter}`);
    for (let x = 0; x < width; x++) {
      const above = filter === 2 && y > 0 ? pixels[(y - 1) * width + x]! : 0;
      pixels[y * width + x] = rows[y * (width + 1) + 1 + x]! + above;
    }
  }
  return pixels;
}

function assert(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Not a PNG as it should be: ${what}.`);
}

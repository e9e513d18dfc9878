import { crc32, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runHandler } from '../../test/run-handler.ts';

interface Image {
  width: number;
  height: number;
  palette: Uint8Array;
  rows: Buffer;
}

/** Reads the PNG as a decoder does: every chunk's checksum, the deflate stream with its own, the size of the rows. */
function decodePng(png: Buffer): Image {
  expect(png.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const end = at + 8 + length;
    expect(crc32(png.subarray(at + 4, end))).toBe(png.readUInt32BE(end));
    chunks.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, end));
    at = end + 4;
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'PLTE', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR')!;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const rows = inflateSync(chunks.get('IDAT')!);
  expect(rows.length).toBe((width + 1) * height);
  return { width, height, palette: chunks.get('PLTE')!, rows };
}

describe('mandelbrot', () => {
  it('answers a PNG of the size that was asked for, with the set inside and colours outside', async () => {
    const outcome = await runHandler('mandelbrot', { path: '/?width=91&height=60' });
    expect(outcome.headers['content-type']).toBe('image/png');
    const { width, height, rows, palette } = decodePng(Buffer.from(outcome.body));
    expect([width, height, palette.length]).toEqual([91, 60, 768]);
    const pixels: number[][] = [];
    for (let y = 0; y < height; y++) {
      pixels.push(
        [...rows.subarray(y * 92 + 1, y * 92 + 92)].map((value, x) => (value + (pixels[y - 1]?.[x] ?? 0)) & 255),
      );
    }
    expect(pixels[30]![45]).toBe(0);
    expect(pixels[0]![0]).toBeGreaterThan(0);
    expect(new Set(pixels.flat()).size).toBeGreaterThan(20);
  });

  it('is the same picture every time', async () => {
    const ask = () => runHandler('mandelbrot', { path: '/?width=20&height=20&zoom=40&x=-0.745&y=0.1' });
    expect((await ask()).body).toEqual((await ask()).body);
  });

  it('says which parameter is out of range', async () => {
    for (const [query, name] of [
      ['width=0', 'width'],
      ['height=100000', 'height'],
      ['zoom=x', 'zoom'],
      ['iterations=-1', 'iterations'],
      ['x=NaN', 'x'],
    ]) {
      const { status, body } = await runHandler('mandelbrot', { path: `/?${query}` });
      expect([status, Buffer.from(body).toString()]).toEqual([400, expect.stringMatching(`^${name} must be`)]);
    }
  });
});

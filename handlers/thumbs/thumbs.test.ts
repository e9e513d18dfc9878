import { readFile, readdir } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { rawCid } from '../../sdk/protocol/index.ts';
import type { LoadedModule, Outcome } from '../../provider/sandbox/index.ts';
import { loadHandler, runInThread, textOf } from '../../test/run-in-thread.ts';
import { chunk, decode, encode, header, pngOf } from './png.ts';
import type { Format, Image } from './png.ts';

let thumbs: LoadedModule;

beforeAll(async () => {
  thumbs = await loadHandler('thumbs');
});

function ask(file: Uint8Array, query = ''): Outcome {
  const cid = rawCid(file);
  const files = new Map([[Buffer.from(cid.bytes).toString('hex'), file]]);
  return runInThread(thumbs, { path: `/${cid}${query}` }, { files });
}

function thumbnail(file: Uint8Array, query = ''): ReturnType<typeof decode> {
  const outcome = ask(file, query);
  if (outcome.status !== 200) throw new Error(`${outcome.status} ${textOf(outcome)} ${outcome.error?.message}`);
  return decode(outcome.body);
}

function rowsOf({ width, height, at }: Image): number[][][] {
  return Array.from({ length: height }, (_row, y) => Array.from({ length: width }, (_pixel, x) => at(x, y)));
}

/** Some value of `bits` bits that differs from sample to sample. */
function noise(x: number, y: number, channel: number, bits: number): number {
  return (Math.imul(x * 7 + y * 131 + channel * 17 + 1, 0x9e3779b1) >>> 8) & (2 ** bits - 1);
}

const linear = (value: number): number => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);

const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const FORMATS: [type: number, depth: number][] = [
  ...[1, 2, 4, 8, 16].map((depth): [number, number] => [0, depth]),
  ...[2, 4, 6].flatMap((type): [number, number][] => [
    [type, 8],
    [type, 16],
  ]),
  ...[1, 2, 4, 8].map((depth): [number, number] => [3, depth]),
];

describe('thumbs', () => {
  it.each(FORMATS.flatMap(([type, depth]) => [false, true].map((interlaced) => ({ type, depth, interlaced }))))(
    'shows every pixel of a small picture as it is: type $type, depth $depth, interlaced $interlaced',
    ({ type, depth, interlaced }) => {
      const palette = Array.from({ length: Math.min(256, 2 ** depth) }, (_colour, i) => [i * 5, 255 - i, i ^ 0x5a]);
      for (const [width, height] of [
        [1, 1],
        [3, 2],
        [5, 9],
        [8, 8],
        [33, 17],
      ] as const) {
        const format: Format = { type, depth, interlaced, pieceBytes: 50, ...(type === 3 ? { palette } : {}) };
        const samples = (x: number, y: number): number[] =>
          Array.from({ length: CHANNELS[type]! }, (_sample, i) => noise(x, y, i, depth));
        const image = thumbnail(encode(width, height, format, samples));
        const scaled = (sample: number): number => Math.round((sample * 255) / (2 ** depth - 1));
        expect(rowsOf(image)).toEqual(
          rowsOf({
            width,
            height,
            at: (x, y) => {
              const [a, b, c, d] = samples(x, y).map(scaled);
              if (type === 3) return [...palette[samples(x, y)[0]!]!.map((value) => value & 255), 255] as never;
              if (type === 0 || type === 4) return b === 0 ? [0, 0, 0, 0] : [a!, a!, a!, b ?? 255];
              return d === 0 ? [0, 0, 0, 0] : [a!, b!, c!, d ?? 255];
            },
          }),
        );
      }
    },
  );

  it('knows transparent colours of a palette, of grey and of RGB, in eight and sixteen bits', () => {
    const key = (...samples: number[]): Buffer => Buffer.from(samples.flatMap((sample) => [sample >> 8, sample & 255]));
    const two = (format: Format, transparent: number[], other: number[]): number[][] =>
      rowsOf(thumbnail(encode(2, 1, format, (x) => (x === 0 ? transparent : other))))[0]!;
    const palette = [
      [255, 0, 0],
      [0, 255, 0],
    ];
    expect(two({ type: 3, depth: 1, palette, transparency: Buffer.from([128]) }, [0], [1])).toEqual([
      [255, 0, 0, 128],
      [0, 255, 0, 255],
    ]);
    expect(two({ type: 0, depth: 2, transparency: key(2) }, [2], [3])).toEqual([
      [0, 0, 0, 0],
      [255, 255, 255, 255],
    ]);
    expect(two({ type: 0, depth: 8, transparency: key(7) }, [7], [8])).toEqual([
      [0, 0, 0, 0],
      [8, 8, 8, 255],
    ]);
    expect(two({ type: 2, depth: 8, transparency: key(1, 2, 3) }, [1, 2, 3], [1, 2, 4])).toEqual([
      [0, 0, 0, 0],
      [1, 2, 4, 255],
    ]);
    expect(two({ type: 2, depth: 16, transparency: key(257, 514, 771) }, [257, 514, 771], [257, 514, 772])).toEqual([
      [0, 0, 0, 0],
      [1, 2, 3, 255],
    ]);
  });

  it('averages light and not numbers, and lets transparent pixels not shine through', () => {
    const rgb: Format = { type: 2, depth: 8 };
    const board = encode(64, 64, rgb, (x, y) => ((x + y) % 2 === 0 ? [255, 255, 255] : [0, 0, 0]));
    expect(thumbnail(board, '?w=8&h=8').at(3, 3)).toEqual([188, 188, 188, 255]);
    const half = encode(2, 1, { type: 6, depth: 8 }, (x) => (x === 0 ? [200, 10, 20, 255] : [0, 255, 0, 0]));
    expect(thumbnail(half, '?w=1&h=1').at(0, 0)).toEqual([200, 10, 20, 128]);
  });

  it('counts pixels that lie on a border with their share', () => {
    const three = encode(3, 3, { type: 0, depth: 8 }, (x) => [[255, 128, 0][x]!]);
    const { width, height, at } = thumbnail(three, '?w=2&h=2');
    expect([width, height]).toEqual([2, 2]);
    const mean = (2 / 3) * linear(255) + (1 / 3) * linear(128);
    expect(linear(at(0, 0)[0])).toBeCloseTo(mean, 2);
    expect(linear(at(1, 1)[0])).toBeCloseTo(linear(128) / 3, 2);
  });

  it('fits the picture into the box, or fills the box with its middle, and never enlarges', () => {
    const wide = encode(400, 100, { type: 2, depth: 8 }, (x) => (x >= 150 && x < 250 ? [0, 200, 0] : [200, 0, 0]));
    const contained = thumbnail(wide, '?w=100&h=100');
    expect([contained.width, contained.height]).toEqual([100, 25]);
    const covered = thumbnail(wide, '?w=50&h=50&fit=cover');
    expect([covered.width, covered.height]).toEqual([50, 50]);
    expect([covered.at(0, 0), covered.at(49, 49)]).toEqual([
      [0, 200, 0, 255],
      [0, 200, 0, 255],
    ]);
    const small = thumbnail(wide, '?w=1000&h=1000');
    expect([small.width, small.height]).toEqual([400, 100]);
    const cut = thumbnail(wide, '?w=100&h=1000&fit=cover');
    expect([cut.width, cut.height, cut.at(0, 0)]).toEqual([100, 100, [0, 200, 0, 255]]);
  });

  it('answers as few samples a pixel as the picture needs', () => {
    const typeOf = (format: Format, pixel: number[]): number => thumbnail(encode(9, 9, format, () => pixel)).type;
    expect(typeOf({ type: 6, depth: 8 }, [5, 5, 5, 255])).toBe(0);
    expect(typeOf({ type: 6, depth: 8 }, [5, 5, 5, 254])).toBe(4);
    expect(typeOf({ type: 6, depth: 8 }, [5, 5, 6, 255])).toBe(2);
    expect(typeOf({ type: 2, depth: 8 }, [5, 6, 5])).toBe(2);
    expect(typeOf({ type: 6, depth: 8 }, [5, 6, 5, 9])).toBe(6);
  });

  it('answers a valid picture of the right size for any size and box', () => {
    const sides = fc.record({
      width: fc.integer({ min: 1, max: 90 }),
      height: fc.integer({ min: 1, max: 90 }),
      w: fc.integer({ min: 1, max: 100 }),
      h: fc.integer({ min: 1, max: 100 }),
      fit: fc.constantFrom('contain', 'cover'),
      alpha: fc.boolean(),
    });
    fc.assert(
      fc.property(sides, ({ width, height, w, h, fit, alpha }) => {
        const colour = alpha ? [90, 120, 200, 200] : [90, 120, 200];
        const file = encode(width, height, { type: alpha ? 6 : 2, depth: 8 }, () => colour);
        const image = thumbnail(file, `?w=${w}&h=${h}&fit=${fit}`);
        expect(image.width <= Math.min(w, width) && image.height <= Math.min(h, height)).toBe(true);
        if (fit === 'cover') expect([image.width, image.height]).toEqual([Math.min(w, width), Math.min(h, height)]);
        for (const pixel of rowsOf(image).flat()) expect(pixel).toEqual(alpha ? colour : [...colour, 255]);
      }),
      { numRuns: 150 },
    );
  });

  it('reads every kind of deflate block', () => {
    for (const options of [{ level: 0 }, { level: 9 }, { strategy: 4 }, { strategy: 2 }, { level: 1, windowBits: 9 }]) {
      const rows = Buffer.concat(
        Array.from({ length: 300 }, (_row, y) =>
          Buffer.from([0, ...Array.from({ length: 300 }, (_x, x) => noise(x >> 3, y >> 2, 0, 8))]),
        ),
      );
      const file = pngOf(header(300, 300, { type: 0, depth: 8 }), chunk('IDAT', deflateSync(rows, options)));
      const image = thumbnail(file, '?w=300&h=300');
      for (let y = 0; y < 300; y += 7) expect(image.at(y, y)[0]).toBe(rows[y * 301 + 1 + y]);
    }
  });

  it('compresses a picture about as well as zlib does', () => {
    let random = 1;
    const next = (): number => (random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0) >>> 29;
    const noisy = Array.from({ length: 256 * 256 }, (_pixel, i) =>
      [i & 255, i >> 8, (i * 3) >> 9].map((v) => v ^ next()),
    );
    const samples = (x: number, y: number): number[] => noisy[y * 256 + x]!;
    const file = encode(256, 256, { type: 2, depth: 8, filter: () => 4 }, samples);
    expect(ask(file, '?w=256&h=256').body.length).toBeLessThan(1.05 * file.length);
  });

  it('says why a file is no picture that it can show', () => {
    const rgb: Format = { type: 2, depth: 8 };
    const good = encode(20, 20, rgb, (x, y) => [x, y, 9]);
    const data = (bytes: Uint8Array): Buffer => chunk('IDAT', bytes);
    const zeros = deflateSync(Buffer.alloc(5000));
    const end = chunk('IEND', Buffer.alloc(0));
    const at20 = header(20, 20, rgb);
    const stream = (...bytes: number[]): Buffer => pngOf(at20, data(Buffer.from([0x78, 0x9c, ...bytes])));
    for (const [name, file, reason] of [
      ['an empty file', Buffer.alloc(0), 'it is not a PNG'],
      ['a JPEG', Buffer.from('ffd8ffe000104a464946', 'hex'), 'it is not a PNG'],
      ['a signature', good.subarray(0, 8), 'the file ends before the picture does'],
      ['half a file', good.subarray(0, 60), 'the file ends in the middle of a chunk'],
      ['no end', good.subarray(0, -end.length), 'the file ends before the picture does'],
      ['no data', pngOf(at20), 'it has no image data'],
      ['no header', pngOf(data(zeros)), 'it does not begin with a header'],
      ['a short header', pngOf(chunk('IHDR', Buffer.alloc(12)), data(zeros)), 'its header is not 13 bytes long'],
      ['no pixels', pngOf(header(0, 5, rgb), data(zeros)), 'its width or height is 0'],
      ['a bomb', pngOf(header(16_000, 16_000, rgb), data(zeros)), 'pixels are too many'],
      ['an overflow', pngOf(header(65_536, 65_537, rgb), data(zeros)), 'pixels are too many'],
      ['a negative side', pngOf(header(2 ** 31 + 5, 5, rgb), data(zeros)), 'pixels are too many'],
      ['an interlaced bomb', pngOf(header(4000, 4000, { ...rgb, interlaced: true }), data(zeros)), 'interlaced, '],
      ['a strange type', pngOf(header(5, 5, { type: 5, depth: 8 }), data(zeros)), 'colour type 5 with depth 8'],
      ['a strange depth', pngOf(header(5, 5, { type: 2, depth: 4 }), data(zeros)), 'colour type 2 with depth 4'],
      ['no palette', pngOf(header(5, 5, { type: 3, depth: 8 }), data(zeros)), 'it has no palette'],
      [
        'half a colour',
        pngOf(header(5, 5, { type: 3, depth: 8 }), chunk('PLTE', Buffer.alloc(4)), data(zeros)),
        'its palette has a wrong length',
      ],
      [
        'a late palette',
        pngOf(at20, data(zeros), chunk('PLTE', Buffer.alloc(3))),
        'a palette where there must be none',
      ],
      [
        'a short key',
        pngOf(at20, chunk('tRNS', Buffer.alloc(2)), data(zeros)),
        'transparency chunk has a wrong length',
      ],
      [
        'data apart',
        pngOf(at20, data(zeros), chunk('tIME', Buffer.alloc(7)), chunk('PLTX', Buffer.alloc(0)), data(zeros)),
        'of an unknown kind',
      ],
      ['an unknown chunk', pngOf(at20, chunk('NEED', Buffer.alloc(0)), data(zeros)), 'of an unknown kind'],
      ['a wrong checksum', Buffer.from(good).fill(1, 50, 51), 'a chunk has a wrong checksum'],
      ['too little data', pngOf(at20, data(deflateSync(Buffer.alloc(700)))), 'its image data ends too early'],
      ['a cut stream', pngOf(at20, data(zeros.subarray(0, 12))), 'its image data'],
      ['no stream', pngOf(at20, data(Buffer.alloc(0))), 'its image data'],
      ['a wrong stream', pngOf(at20, data(Buffer.from([1, 2, 3, 4]))), 'its image data is not a zlib stream'],
      [
        'a wrong filter',
        pngOf(at20, data(deflateSync(Buffer.alloc(5000, 5)))),
        'a row has a filter that does not exist',
      ],
      ['a wrong block', stream(0b111, 0, 0, 0), 'a block of an unknown type'],
      ['a wrong stored block', stream(0b001, 5, 0, 0, 0), 'a stored block whose length is wrong'],
      ['a match of nothing', stream(0b011, 0x02, 0, 0, 0), 'its image data'],
      ['a wrong code', stream(0b101, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 'a wrong Huffman code'],
    ] as const) {
      const outcome = ask(file);
      expect([name, outcome.status]).toEqual([name, 422]);
      expect([name, textOf(outcome)]).toEqual([name, expect.stringContaining(reason)]);
    }
  });

  it('answers a picture or a reason for any damage to a file', () => {
    const files = FORMATS.map(([type, depth], i) => {
      const palette = Array.from({ length: Math.min(256, 2 ** depth) }, (_colour, j) => [j, j, 9]);
      const format: Format = { type, depth, interlaced: i % 2 === 0, ...(type === 3 ? { palette } : {}) };
      return encode(23, 19, format, (x, y) =>
        Array.from({ length: CHANNELS[type]! }, (_s, c) => noise(x, y, c, depth)),
      );
    });
    const damage = fc.record({
      file: fc.constantFrom(...files),
      bytes: fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      cut: fc.option(fc.nat(2000)),
      repair: fc.boolean(),
    });
    fc.assert(
      fc.property(damage, ({ file, bytes, cut, repair }) => {
        let broken: Buffer = Buffer.from(file);
        for (const [at, value] of bytes) broken[at % broken.length] = value;
        if (repair) broken = withChecksums(broken);
        const outcome = ask(broken.subarray(0, cut ?? broken.length), '?w=10&h=10');
        expect(outcome.error).toBeUndefined();
        expect([200, 422]).toContain(outcome.status);
        if (outcome.status === 200) decode(outcome.body);
      }),
      { numRuns: 1500 },
    );
  });

  it('ends at its fuel for a picture that is larger than it looks', () => {
    const bomb = pngOf(
      header(5600, 5600, { type: 2, depth: 8 }),
      chunk('IDAT', deflateSync(Buffer.alloc(5600 * 16_801))),
    );
    const files = new Map([[Buffer.from(rawCid(bomb).bytes).toString('hex'), bomb]]);
    const outcome = runInThread(thumbs, { path: `/${rawCid(bomb)}` }, { files, limits: { fuelMax: 50e6 } });
    expect(outcome.error?.code).toBe('OUT_OF_FUEL');
    expect(bomb.length).toBeLessThan(200_000);
  });

  it('has a page whose examples are files of its own, named by their CIDs', async () => {
    const folder = new URL('public/', import.meta.url);
    const page = await readFile(new URL('index.html', folder), 'utf8');
    for (const name of await readdir(new URL('examples/', folder))) {
      const file = await readFile(new URL(`examples/${name}`, folder));
      expect(page).toContain(rawCid(file).toString());
      expect(ask(file, '?w=40&h=40').status).toBe(200);
    }
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it('says which part of the request is wrong', () => {
    const path = `/${rawCid(Buffer.from('x'))}`;
    for (const [request, status, text] of [
      [{ path: '/' }, 404, 'the path must be the CID'],
      [{ path: '/nonsense' }, 404, 'the path must be the CID'],
      [{ path: `${path}/x` }, 404, 'the path must be the CID'],
      [{ path: `${path}?w=0` }, 400, 'w and h must be whole numbers'],
      [{ path: `${path}?h=1025` }, 400, 'w and h must be whole numbers'],
      [{ path: `${path}?w=1e9` }, 400, 'w and h must be whole numbers'],
      [{ path: `${path}?w=x` }, 400, 'w and h must be whole numbers'],
      [{ path: `${path}?fit=stretch` }, 400, 'fit must be contain or cover'],
      [{ path, method: 'POST' }, 405, 'only GET'],
    ] as const) {
      const outcome = runInThread(thumbs, request);
      expect([request.path, outcome.status, textOf(outcome)]).toEqual([
        request.path,
        status,
        expect.stringContaining(text),
      ]);
    }
  });
});

/** The file with every chunk's checksum set right, as far as its chunks can be followed: damage that looks whole. */
function withChecksums(file: Buffer): Buffer {
  const parts = [file.subarray(0, 8)];
  let at = 8;
  while (at + 12 <= file.length) {
    const end = at + 8 + file.readUInt32BE(at);
    if (end + 4 > file.length) break;
    parts.push(chunk(file.toString('latin1', at + 4, at + 8), file.subarray(at + 8, end)));
    at = end + 4;
  }
  return Buffer.concat([...parts, file.subarray(at)]);
}

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModule, Outcome } from '../../provider/sandbox/index.ts';
import { loadHandler, runInThread, textOf } from '../../test/run-in-thread.ts';
import { decodePng } from './png.ts';

let mandelbrot: LoadedModule;

beforeAll(async () => {
  mandelbrot = await loadHandler('mandelbrot');
});

function ask(query: string): Outcome {
  return runInThread(mandelbrot, { path: `/?${query}` });
}

describe('mandelbrot', () => {
  it('answers a PNG of the size that was asked for, with the set inside and colours outside', () => {
    const outcome = ask('width=91&height=60');
    expect(outcome).toMatchObject({ status: 200, headers: { 'content-type': 'image/png' } });
    const { width, height, palette, pixels } = decodePng(outcome.body);
    expect([width, height, palette.length]).toEqual([91, 60, 768]);
    expect(pixels[30 * 91 + 45]).toBe(0);
    expect(pixels[0]).toBeGreaterThan(0);
    expect(new Set(pixels).size).toBeGreaterThan(20);
  });

  it('shows the same points whatever the size, mirrored at the real axis', () => {
    const { pixels } = decodePng(ask('width=64&height=64&x=-0.5').body);
    for (let y = 0; y < 32; y++) {
      expect(pixels.slice(y * 64, y * 64 + 64)).toEqual(pixels.slice((63 - y) * 64, (63 - y) * 64 + 64));
    }
  });

  it('answers a valid picture for every size, view, depth and palette', () => {
    const query = fc.record({
      width: fc.integer({ min: 1, max: 80 }),
      height: fc.integer({ min: 1, max: 60 }),
      x: fc.double({ min: -2, max: 1, noNaN: true }),
      y: fc.double({ min: -1.2, max: 1.2, noNaN: true }),
      zoom: fc.integer({ min: 1, max: 100_000 }),
      iterations: fc.integer({ min: 1, max: 300 }),
      palette: fc.constantFrom('ocean', 'fire', 'forest', 'grey'),
    });
    fc.assert(
      fc.property(query, (parameters) => {
        const search = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
        const { width, height } = decodePng(ask(search.toString()).body);
        expect([width, height]).toEqual([parameters.width, parameters.height]);
      }),
      { numRuns: 150 },
    );
  });

  it('needs one page of memory for a picture of many chunks', () => {
    const outcome = ask('width=1024&height=256&x=-0.7436&y=0.1318&zoom=3000&iterations=300');
    const { width, height } = decodePng(outcome.body);
    expect([width, height, outcome.memoryPagesPeak]).toEqual([1024, 256, 1]);
    expect(outcome.body.length).toBeGreaterThan(3 * 32 * 1024);
  });

  it('is smaller than its pixels, and tiny where there is nothing to see', () => {
    expect(ask('width=300&height=200').body.length).toBeLessThan(0.6 * 300 * 200);
    expect(ask('width=300&height=200&x=0&zoom=100').body.length).toBeLessThan(0.04 * 300 * 200);
  });

  it('is the same picture every time', () => {
    const view = 'width=20&height=20&zoom=40&x=-0.745&y=0.1';
    expect(ask(view).body).toEqual(ask(view).body);
  });

  it('says which parameter is wrong and what it may be', () => {
    for (const [query, message] of [
      ['width=0', 'width must be a whole number from 1 to 4096\n'],
      ['width=', 'width must be a whole number from 1 to 4096\n'],
      ['width=12.5', 'width must be a whole number from 1 to 4096\n'],
      ['width=12apples', 'width must be a whole number from 1 to 4096\n'],
      ['height=100000', 'height must be a whole number from 1 to 4096\n'],
      ['height=1&height=2&x=-5', 'x must be a number from -4 to 4\n'],
      ['zoom=x', 'zoom must be a number from 0.1 to 10000000000000\n'],
      ['zoom=Infinity', 'zoom must be a number from 0.1 to 10000000000000\n'],
      ['y=NaN', 'y must be a number from -4 to 4\n'],
      ['iterations=-1', 'iterations must be a whole number from 1 to 100000\n'],
      ['palette=pink', 'palette must be one of ocean, fire, forest, grey\n'],
    ] as const) {
      const outcome = ask(query);
      expect([query, outcome.status, textOf(outcome)]).toEqual([query, 400, message]);
    }
  });
});

import { COLOURS } from './palettes';

/** Points are followed to this distance, squared: far enough that colours change smoothly from pixel to pixel. */
const ESCAPE: f64 = 65_536;
/** How often an orbit is compared with an earlier point of itself: points that return never leave. */
const CYCLE_FIRST: i32 = 16;
/** Colours per square root of the escape time: about seven times round the palette for the deepest pictures. */
const COLOUR_RATE: f64 = 30;

/** The picture's points and their colours. All arithmetic is IEEE 754 and compiled in, so it is the same everywhere. */
export class Fractal {
  constructor(
    private left: f64,
    private top: f64,
    private step: f64,
    private iterations: i32,
  ) {}

  /** Fills `row` with the colours of picture line `line`. */
  draw(line: i32, row: Uint8Array): void {
    const cy = this.top - this.step * <f64>line;
    for (let column = 0; column < row.length; column++) {
      unchecked((row[column] = this.colourOf(this.left + this.step * <f64>column, cy)));
    }
  }

  /** 0 inside the set; outside, a colour by how fast the point escapes. */
  private colourOf(cx: f64, cy: f64): u8 {
    const square = cy * cy;
    // The main cardioid and the disc left of it are most of the set, and known without iterating.
    const q = (cx - 0.25) * (cx - 0.25) + square;
    if (q * (q + cx - 0.25) <= 0.25 * square || (cx + 1) * (cx + 1) + square <= 0.0625) return 0;

    let x: f64 = 0;
    let y: f64 = 0;
    let xx: f64 = 0;
    let yy: f64 = 0;
    let markX: f64 = 0;
    let markY: f64 = 0;
    let markAt = CYCLE_FIRST;
    let n = 0;
    const iterations = this.iterations;
    while (xx + yy <= ESCAPE) {
      if (n == iterations) return 0;
      y = 2 * x * y + cy;
      x = xx - yy + cx;
      xx = x * x;
      yy = y * y;
      n++;
      if (x == markX && y == markY) return 0;
      if (n == markAt) {
        markX = x;
        markY = y;
        markAt <<= 1;
      }
    }
    // The fraction of a step by which the point overshot, which makes the escape time continuous.
    const time = <f64>n + 1 - Math.log2(0.5 * Math.log2(xx + yy));
    const colour = <i32>(Math.sqrt(max(time, 0)) * COLOUR_RATE);
    return <u8>(1 + (colour % (COLOURS - 1)));
  }
}

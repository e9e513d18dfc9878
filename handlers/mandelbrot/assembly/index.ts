import { Query, Request, Response } from 'workswap';
import { encodePng } from './png';

const PIXELS_MAX: f64 = 4096;
const COLOURS: i32 = 256;

let problem: string = '';

/** A number from the query, or `fallback`; what is no number or out of range becomes the answer's error. */
function number(query: Query, name: string, fallback: f64, min: f64, max: f64): f64 {
  if (!query.has(name)) return fallback;
  const value = parseFloat(query.get(name));
  if (!(value >= min && value <= max))
    problem = name + ' must be a number from ' + min.toString() + ' to ' + max.toString();
  return value;
}

/**
 * A PNG of the Mandelbrot set: `width`, `height` in pixels, `x`, `y` the centre, `zoom` (1 shows the whole set),
 * `iterations`.
 */
export function handle(req: Request): Response {
  const query = req.query;
  problem = '';
  const width = <i32>number(query, 'width', 256, 1, PIXELS_MAX);
  const height = <i32>number(query, 'height', 256, 1, PIXELS_MAX);
  const centreX = number(query, 'x', -0.65, -4, 4);
  const centreY = number(query, 'y', 0, -4, 4);
  const zoom = number(query, 'zoom', 1, 0.1, 1e13);
  const iterations = <i32>number(query, 'iterations', 200, 1, 100000);
  if (problem.length > 0) return Response.text(problem + '\n', 400);

  const pixels = new Uint8Array(width * height);
  const step = 2.6 / zoom / <f64>min(width, height);
  for (let py = 0; py < height; py++) {
    const cy = centreY + (<f64>py - <f64>height / 2 + 0.5) * step;
    for (let px = 0; px < width; px++) {
      const cx = centreX + (<f64>px - <f64>width / 2 + 0.5) * step;
      unchecked((pixels[py * width + px] = colourOf(cx, cy, iterations)));
    }
  }
  return Response.bytes(encodePng(width, height, pixels, palette()), 'image/png').header(
    'cache-control',
    'max-age=31536000, immutable',
  );
}

/** 0 inside the set; outside a colour that changes smoothly with the escape time. */
function colourOf(cx: f64, cy: f64, iterations: i32): u8 {
  // The main cardioid and the largest disc are a third of the picture and known without iterating.
  const q = (cx - 0.25) * (cx - 0.25) + cy * cy;
  if (q * (q + cx - 0.25) <= 0.25 * cy * cy) return 0;
  if ((cx + 1) * (cx + 1) + cy * cy <= 0.0625) return 0;
  let x: f64 = 0;
  let y: f64 = 0;
  let xx: f64 = 0;
  let yy: f64 = 0;
  let n = 0;
  while (n < iterations && xx + yy <= 256) {
    y = 2 * x * y + cy;
    x = xx - yy + cx;
    xx = x * x;
    yy = y * y;
    n++;
  }
  if (n == iterations) return 0;
  const smooth = <f64>n + 1 - Math.log2(0.5 * Math.log2(xx + yy) * 0.6931471805599453);
  const shade = Math.sqrt(max(smooth, 0)) * 34;
  return <u8>(1 + (<i32>shade % (COLOURS - 1)));
}

/** From deep blue over white and amber to black and round again. */
function palette(): Uint8Array {
  const stops: StaticArray<u8> = [0, 7, 100, 32, 107, 203, 237, 255, 255, 255, 170, 0, 90, 20, 10, 0, 7, 100];
  const colours = new Uint8Array(3 * COLOURS);
  const span = <f64>(COLOURS - 1) / 5;
  for (let i = 1; i < COLOURS; i++) {
    const at = <f64>(i - 1) / span;
    const stop = min(<i32>at, 4);
    const share = at - <f64>stop;
    for (let c = 0; c < 3; c++) {
      const from = <f64>stops[3 * stop + c];
      const to = <f64>stops[3 * stop + 3 + c];
      colours[3 * i + c] = <u8>(from + (to - from) * share);
    }
  }
  return colours;
}

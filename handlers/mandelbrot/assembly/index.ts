import { Request, Response } from 'workswap';
import { Fractal } from './fractal';
import { isPalette, paletteColours, paletteNames } from './palettes';
import { Parameters } from './parameters';
import { PngWriter } from './png';

/** Pixels in one direction. */
const SIDE_MAX: f64 = 4096;
/** Beyond this the doubles that points are made of are coarser than the pixels. */
const ZOOM_MAX: f64 = 1e13;
const ITERATIONS_MAX: f64 = 100_000;
/** Height of the picture at zoom 1, in the complex plane: the whole set and a little air. */
const VIEW_HEIGHT: f64 = 2.6;

/** A PNG of the Mandelbrot set; what it shows comes from the query, and README.md lists the parameters. */
export function handle(req: Request): Response {
  const parameters = new Parameters(req.query);
  const width = parameters.integer('width', 480, 1, SIDE_MAX);
  const height = parameters.integer('height', 320, 1, SIDE_MAX);
  const x = parameters.number('x', -0.65, -4, 4);
  const y = parameters.number('y', 0, -4, 4);
  const zoom = parameters.number('zoom', 1, 0.1, ZOOM_MAX);
  const iterations = parameters.integer('iterations', 250, 1, ITERATIONS_MAX);
  const palette = parameters.choice('palette', 'ocean', paletteNames(), isPalette);
  if (parameters.problem.length > 0) return Response.text(parameters.problem + '\n', 400);

  const step = VIEW_HEIGHT / zoom / <f64>height;
  const fractal = new Fractal(x - (step * <f64>(width - 1)) / 2, y + (step * <f64>(height - 1)) / 2, step, iterations);
  const response = new Response().header('content-type', 'image/png');
  const png = new PngWriter(response, width, height, paletteColours(palette));
  const row = new Uint8Array(width);
  for (let line = 0; line < height; line++) {
    fractal.draw(line, row);
    png.writeRow(row);
  }
  return png.end();
}

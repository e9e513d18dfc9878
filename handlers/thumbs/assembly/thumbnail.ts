import { Inflater } from './inflate';
import { PngFile } from './png-file';
import { encodePng } from './png-encode';
import { Resampler } from './resample';
import { Rows } from './rows';
import { View } from './view';

const PASSES: i32 = 7;

/** Makes a thumbnail of a PNG; afterwards there is `result`, or a `problem`. */
export class Thumbnail {
  problem: string = '';
  result: Uint8Array = new Uint8Array(0);

  /** The file lies at `start`; eight more bytes behind it must be readable. Its bytes do not stay as they are. */
  make(start: usize, length: i32, width: i32, height: i32, isCover: bool): void {
    const png = new PngFile(start, length);
    this.problem = png.problem;
    if (this.problem.length > 0) return;
    const view = isCover
      ? View.cover(png.width, png.height, width, height)
      : View.contain(png.width, png.height, width, height);
    const resampler = new Resampler(view, png.width, png.hasAlpha);
    const inflater = new Inflater(png.dataStart, png.dataEnd);
    if (inflater.problem.length == 0) {
      const rows = new Rows(png, inflater);
      if (png.isInterlaced) readInterlaced(png, rows, resampler);
      else readRows(png, rows, resampler);
    }
    this.problem = inflater.problem;
    if (this.problem.length == 0) this.result = encodePng(resampler.pixels, view.width, view.height);
  }
}

/** Rows below the part that shows are not even decoded. */
function readRows(png: PngFile, rows: Rows, resampler: Resampler): void {
  const row = heap.alloc((<usize>png.width) << 2);
  rows.begin(png.width);
  for (let y = 0; y < png.height && !resampler.isDone; y++) {
    if (!rows.next(row, png.width)) return;
    if (resampler.wants(y)) resampler.add(y, row);
  }
  resampler.end();
}

/** The seven pictures of Adam7 (PNG, 8.2), each of every so many pixels, put together. */
function readInterlaced(png: PngFile, rows: Rows, resampler: Resampler): void {
  const width = png.width;
  const height = png.height;
  const canvas = heap.alloc(((<usize>width) << 2) * height);
  const row = heap.alloc((<usize>width) << 2);
  const firstX = memory.data<u8>([0, 4, 0, 2, 0, 1, 0]);
  const firstY = memory.data<u8>([0, 0, 4, 0, 2, 0, 1]);
  const stepX = memory.data<u8>([8, 8, 4, 4, 2, 2, 1]);
  const stepY = memory.data<u8>([8, 8, 8, 4, 4, 2, 2]);
  for (let pass = 0; pass < PASSES; pass++) {
    const x: i32 = load<u8>(firstX + pass);
    const across: i32 = load<u8>(stepX + pass);
    const passWidth = (width - x + across - 1) / across;
    if (passWidth <= 0) continue;
    rows.begin(passWidth);
    for (let y: i32 = load<u8>(firstY + pass); y < height; y += load<u8>(stepY + pass)) {
      if (!rows.next(row, passWidth)) return;
      let into = canvas + ((<usize>(y * width + x)) << 2);
      for (let i = 0; i < passWidth; i++) {
        store<u32>(into, load<u32>(row + (i << 2)));
        into += across << 2;
      }
    }
  }
  for (let y = 0; y < height && !resampler.isDone; y++) {
    if (resampler.wants(y)) resampler.add(y, canvas + ((<usize>(y * width)) << 2));
  }
  resampler.end();
}

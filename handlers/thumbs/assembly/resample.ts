import { LINEAR_STEPS, linearTable, srgbTable } from './gamma';
import { View } from './view';

/**
 * Makes a thumbnail of rows that come one after the other: each of its pixels is the mean of the pixels (and the parts of
 * pixels) that it covers, in linear light, each counted by its opacity. Holds one row of sums, however large the picture.
 */
export class Resampler {
  /** The finished thumbnail, RGBA. */
  pixels: Uint8Array;

  private toLinear: StaticArray<f32> = linearTable();
  private toSrgb: StaticArray<u8> = srgbTable();
  /** Red, green, blue (times opacity) and opacity of each pixel of the row that is being summed up, and of one source row. */
  private sums: StaticArray<f32>;
  private across: StaticArray<f32>;
  private line: i32 = 0;

  constructor(
    private view: View,
    private sourceWidth: i32,
    private hasAlpha: bool,
  ) {
    this.pixels = new Uint8Array(4 * view.width * view.height);
    this.sums = new StaticArray<f32>(4 * view.width);
    this.across = new StaticArray<f32>(4 * view.width);
  }

  /** Whether the thumbnail is complete: later rows do not show. */
  get isDone(): bool {
    return this.line == this.view.height;
  }

  /** Whether row `y` of the picture shows at all. */
  wants(y: i32): bool {
    return <f64>(y + 1) > this.view.top;
  }

  /** Takes row `y` of the picture, RGBA pixels. Rows must come in order. */
  add(y: i32, row: usize): void {
    if (this.hasAlpha) this.sumAcrossAlpha(row);
    else this.sumAcross(row);
    const view = this.view;
    while (this.line < view.height) {
      const top = view.top + view.stepY * <f64>this.line;
      const bottom = top + view.stepY;
      const share = min(bottom, <f64>(y + 1)) - max(top, <f64>y);
      this.sumDown(<f32>share);
      // A little before its end, since the last row's end is rounded.
      if (bottom > <f64>(y + 1) + 1e-6) break;
      this.finishLine();
      if (view.top + view.stepY * <f64>this.line >= <f64>(y + 1)) break;
    }
  }

  /** The last line, where rounding has left it a hair's breadth from its end. */
  end(): void {
    while (this.line < this.view.height) this.finishLine();
  }

  private sumDown(share: f32): void {
    if (share <= 0) return;
    let into = changetype<usize>(this.sums);
    let from = changetype<usize>(this.across);
    for (const end = into + (this.view.width << 4); into < end; into += 4) {
      store<f32>(into, load<f32>(into) + share * load<f32>(from));
      from += 4;
    }
  }

  private sumAcross(row: usize): void {
    const view = this.view;
    const table = this.toLinear;
    let into = changetype<usize>(this.across);
    const last = this.sourceWidth - 1;
    for (let i = 0; i < view.width; i++) {
      const left = view.left + view.stepX * <f64>i;
      const right = left + view.stepX;
      const first = <i32>left;
      const end = min(<i32>right, last);
      let at = row + ((<usize>first) << 2);
      let share = <f32>(min(<f64>(first + 1), right) - left);
      let red = share * unchecked(table[load<u8>(at)]);
      let green = share * unchecked(table[load<u8>(at, 1)]);
      let blue = share * unchecked(table[load<u8>(at, 2)]);
      const stop = row + ((<usize>end) << 2);
      for (at += 4; at < stop; at += 4) {
        red += unchecked(table[load<u8>(at)]);
        green += unchecked(table[load<u8>(at, 1)]);
        blue += unchecked(table[load<u8>(at, 2)]);
      }
      share = <f32>(right - <f64>end);
      if (end > first && share > 0) {
        red += share * unchecked(table[load<u8>(stop)]);
        green += share * unchecked(table[load<u8>(stop, 1)]);
        blue += share * unchecked(table[load<u8>(stop, 2)]);
      }
      store<f32>(into, red);
      store<f32>(into, green, 4);
      store<f32>(into, blue, 8);
      store<f32>(into, <f32>view.stepX, 12);
      into += 16;
    }
  }

  private sumAcrossAlpha(row: usize): void {
    const view = this.view;
    const table = this.toLinear;
    let into = changetype<usize>(this.across);
    const last = this.sourceWidth - 1;
    for (let i = 0; i < view.width; i++) {
      const left = view.left + view.stepX * <f64>i;
      const right = left + view.stepX;
      const first = <i32>left;
      const end = min(<i32>right, last);
      let red: f32 = 0;
      let green: f32 = 0;
      let blue: f32 = 0;
      let opacity: f32 = 0;
      for (let x = first; x <= end; x++) {
        const at = row + ((<usize>x) << 2);
        const share = <f32>(min(<f64>(x + 1), right) - max(<f64>x, left));
        const alpha = share * <f32>load<u8>(at, 3) * <f32>(1.0 / 255);
        red += alpha * unchecked(table[load<u8>(at)]);
        green += alpha * unchecked(table[load<u8>(at, 1)]);
        blue += alpha * unchecked(table[load<u8>(at, 2)]);
        opacity += alpha;
      }
      store<f32>(into, red);
      store<f32>(into, green, 4);
      store<f32>(into, blue, 8);
      store<f32>(into, opacity, 12);
      into += 16;
    }
  }

  private finishLine(): void {
    const view = this.view;
    const sums = this.sums;
    const area = <f32>(view.stepX * view.stepY);
    let into = this.pixels.dataStart + 4 * view.width * this.line;
    for (let i = 0; i < sums.length; i += 4) {
      const opacity = unchecked(sums[i + 3]);
      const scale = opacity > 0 ? <f32>(LINEAR_STEPS - 1) / opacity : 0;
      store<u8>(into, this.shade(unchecked(sums[i]) * scale));
      store<u8>(into, this.shade(unchecked(sums[i + 1]) * scale), 1);
      store<u8>(into, this.shade(unchecked(sums[i + 2]) * scale), 2);
      store<u8>(into, this.hasAlpha ? <u8>min<f32>(255, (255 * opacity) / area + 0.5) : 255, 3);
      into += 4;
    }
    sums.fill(0);
    this.line++;
  }

  private shade(linear: f32): u8 {
    return unchecked(this.toSrgb[min(<i32>(linear + 0.5), LINEAR_STEPS - 1)]);
  }
}

import { Inflater } from './inflate';
import { PngFile, TYPE_GREY, TYPE_GREY_ALPHA, TYPE_PALETTE, TYPE_RGB } from './png-file';

const OPAQUE: u32 = 0xff000000;

/** Decodes the rows of a picture, or of one pass of an interlaced one, to RGBA pixels of eight bits a sample. */
export class Rows {
  private channels: i32;
  /** Distance in bytes between a sample and the same sample of the pixel to the left, for the filters. */
  private step: i32;
  private rowBytes: i32 = 0;
  /** The filter's number and the bytes of this row, and of the one above. */
  private row: usize;
  private above: usize;

  constructor(
    private png: PngFile,
    private inflater: Inflater,
  ) {
    const channels = png.channels;
    this.channels = channels;
    this.step = max(1, (channels * png.depth) >> 3);
    // Sixteen-bit samples are read in pairs, so a little more than the longest row.
    const bytes = 1 + ((png.width * channels * png.depth + 7) >> 3) + 8;
    this.row = heap.alloc(bytes);
    this.above = heap.alloc(bytes);
  }

  /** Before the first row of `width` pixels: there is nothing above it. */
  begin(width: i32): void {
    this.rowBytes = (width * this.channels * this.png.depth + 7) >> 3;
    memory.fill(this.row, 0, this.rowBytes + 1);
  }

  /** Decodes the next row to `pixels`; false when the file is damaged. */
  next(pixels: usize, width: i32): bool {
    const row = this.above;
    this.above = this.row;
    this.row = row;
    if (!this.inflater.read(row, this.rowBytes + 1)) return false;
    const filter: i32 = load<u8>(row);
    if (filter > 4) {
      this.inflater.problem = 'a row has a filter that does not exist';
      return false;
    }
    unfilter(filter, row + 1, this.above + 1, this.rowBytes, this.step);
    this.convert(row + 1, pixels, width);
    return true;
  }

  private convert(row: usize, pixels: usize, width: i32): void {
    const png = this.png;
    const end = pixels + ((<usize>width) << 2);
    if (png.depth == 16) this.convertDeep(row, pixels, end);
    else if (png.depth < 8) this.convertPacked(row, pixels, width);
    else if (png.type == TYPE_PALETTE) {
      for (; pixels < end; pixels += 4) store<u32>(pixels, unchecked(png.palette[load<u8>(row++)]));
    } else if (png.type == TYPE_RGB) {
      for (; pixels < end; pixels += 4) {
        store<u32>(pixels, (load<u32>(row) & 0xffffff) | OPAQUE);
        row += 3;
      }
    } else if (png.type == TYPE_GREY) {
      for (; pixels < end; pixels += 4) store<u32>(pixels, (load<u8>(row++) * 0x010101) | OPAQUE);
    } else if (png.type == TYPE_GREY_ALPHA) {
      for (; pixels < end; pixels += 4) {
        store<u32>(pixels, (load<u8>(row) * 0x010101) | (load<u8>(row, 1) << 24));
        row += 2;
      }
    } else {
      memory.copy(pixels, row, end - pixels);
    }
    if (png.hasKey && png.depth == 8) this.applyKey(end - ((<usize>width) << 2), end);
  }

  /** Makes the pixels of the transparent colour transparent. */
  private applyKey(pixels: usize, end: usize): void {
    const png = this.png;
    let key: u32 = png.keyRed * 0x010101;
    if (png.type == TYPE_RGB) key = png.keyRed | (png.keyGreen << 8) | (png.keyBlue << 16);
    // No sample of eight bits is that large, so no pixel has this colour.
    if ((png.keyRed | png.keyGreen | png.keyBlue) > 255) return;
    for (; pixels < end; pixels += 4) {
      if ((load<u32>(pixels) & 0xffffff) == key) store<u32>(pixels, key);
    }
  }

  /** Samples of 1, 2 or 4 bits: shades of grey, or indices. The leftmost pixel is in the highest bits. */
  private convertPacked(row: usize, pixels: usize, width: i32): void {
    const png = this.png;
    const depth = png.depth;
    const largest = (1 << depth) - 1;
    const scale: u32 = 255 / largest;
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const sample: i32 = (load<u8>(row + (bit >> 3)) >> <u8>(8 - depth - (bit & 7))) & largest;
      let pixel: u32 = 0;
      if (png.type == TYPE_PALETTE) {
        pixel = unchecked(png.palette[sample]);
      } else {
        pixel = (sample * scale * 0x010101) | OPAQUE;
        if (png.hasKey && sample == png.keyRed) pixel &= ~OPAQUE;
      }
      store<u32>(pixels, pixel);
      pixels += 4;
    }
  }

  private convertDeep(row: usize, pixels: usize, end: usize): void {
    const png = this.png;
    const isGrey = png.type == TYPE_GREY || png.type == TYPE_GREY_ALPHA;
    const hasAlpha = (png.type & 4) != 0;
    for (; pixels < end; pixels += 4) {
      const red = deepSample(row);
      let green = red;
      let blue = red;
      if (!isGrey) {
        green = deepSample(row + 2);
        blue = deepSample(row + 4);
        row += 4;
      }
      row += 2;
      let alpha = 0xffff;
      if (hasAlpha) {
        alpha = deepSample(row);
        row += 2;
      } else if (png.hasKey && red == png.keyRed && (isGrey || (green == png.keyGreen && blue == png.keyBlue))) {
        alpha = 0;
      }
      store<u32>(pixels, toByte(red) | (toByte(green) << 8) | (toByte(blue) << 16) | (toByte(alpha) << 24));
    }
  }
}

function deepSample(at: usize): i32 {
  return ((<i32>load<u8>(at)) << 8) | load<u8>(at, 1);
}

/** Sixteen bits to the nearest of eight. */
function toByte(sample: i32): i32 {
  return (sample * 255 + 32_895) >> 16;
}

/** Undoes a row's filter (PNG, 9.2): each byte was stored as its difference to what its neighbours predict. */
function unfilter(filter: i32, row: usize, above: usize, length: i32, step: i32): void {
  const end = row + length;
  const first = row + min(step, length);
  if (filter == 1) {
    for (let at = first; at < end; at++) store<u8>(at, load<u8>(at) + load<u8>(at - step));
  } else if (filter == 2) {
    for (let at = row; at < end; at++) store<u8>(at, load<u8>(at) + load<u8>(above++));
  } else if (filter == 3) {
    let at = row;
    for (; at < first; at++) store<u8>(at, load<u8>(at) + (load<u8>(above++) >> 1));
    for (; at < end; at++) {
      store<u8>(at, load<u8>(at) + <u8>((<i32>load<u8>(at - step) + <i32>load<u8>(above++)) >> 1));
    }
  } else if (filter == 4) {
    let at = row;
    for (; at < first; at++) store<u8>(at, load<u8>(at) + load<u8>(above++));
    for (; at < end; at++) {
      store<u8>(at, load<u8>(at) + paeth(load<u8>(at - step), load<u8>(above), load<u8>(above - step)));
      above++;
    }
  }
}

/** The neighbour (left, above, above left) that is nearest to left + above - above left. */
export function paeth(left: i32, above: i32, corner: i32): u8 {
  const toLeft = abs(above - corner);
  const toAbove = abs(left - corner);
  const toCorner = abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return <u8>left;
  return <u8>(toAbove <= toCorner ? above : corner);
}

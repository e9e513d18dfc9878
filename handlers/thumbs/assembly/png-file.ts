import { CHUNK_HEAD, CHUNK_TAIL, SIGNATURE, chunkType, crc32 } from '../../png/assembly/png-chunks';

/** Pixels in one direction, and in all. A picture of nothing but zeros is a thousand times smaller than its pixels. */
export const SIDE_MAX: u32 = 16_384;
export const PIXELS_MAX: u32 = 32_000_000;
/** Interlaced pictures come seven times over, so all their pixels are held at once. */
export const INTERLACED_PIXELS_MAX: u32 = 6_000_000;

export const TYPE_GREY: i32 = 0;
export const TYPE_RGB: i32 = 2;
export const TYPE_PALETTE: i32 = 3;
export const TYPE_GREY_ALPHA: i32 = 4;
export const TYPE_RGB_ALPHA: i32 = 6;

const HEADER_BYTES: u32 = 13;
const PALETTE_MAX: u32 = 256;
const OPAQUE: u32 = 0xff000000;

/**
 * The chunks of a PNG in memory (https://www.w3.org/TR/png): the header, the palette, and the image data put together.
 * Eight more bytes behind the file must be readable.
 */
export class PngFile {
  /** Why this is not a picture that can be read; empty when it is. */
  problem: string = '';

  width: i32 = 0;
  height: i32 = 0;
  /** Bits of a sample. */
  depth: i32 = 0;
  type: i32 = 0;
  isInterlaced: bool = false;
  /** A colour for each index, as memory has RGBA; black for those that the palette does not have. */
  palette: StaticArray<u32> = new StaticArray<u32>(256);
  /** Whether one colour (of a picture without alpha) is transparent, and which: its samples, unscaled. */
  hasKey: bool = false;
  keyRed: i32 = 0;
  keyGreen: i32 = 0;
  keyBlue: i32 = 0;
  /** The zlib stream. */
  dataStart: usize = 0;
  dataEnd: usize = 0;

  private hasPalette: bool = false;
  private hasTransparency: bool = false;

  constructor(start: usize, length: i32) {
    if (length < 8 || load<u64>(start) != SIGNATURE) this.problem = 'it is not a PNG';
    else this.readChunks(start + 8, start + length);
  }

  /** Samples of a pixel. */
  get channels(): i32 {
    if (this.type == TYPE_RGB) return 3;
    if (this.type == TYPE_RGB_ALPHA) return 4;
    return this.type == TYPE_GREY_ALPHA ? 2 : 1;
  }

  /** Whether any pixel can be other than opaque. */
  get hasAlpha(): bool {
    return (this.type & 4) != 0 || this.hasTransparency;
  }

  private readChunks(at: usize, end: usize): void {
    let isFirst = true;
    let isDataOver = false;
    while (this.problem.length == 0) {
      if (<i32>(end - at) < CHUNK_HEAD + CHUNK_TAIL) {
        this.problem = 'the file ends before the picture does';
        return;
      }
      const length = bswap<u32>(load<u32>(at));
      const type = load<u32>(at, 4);
      if (length > <u32>(end - at) - CHUNK_HEAD - CHUNK_TAIL) {
        this.problem = 'the file ends in the middle of a chunk';
        return;
      }
      const data = at + CHUNK_HEAD;
      at = data + length + CHUNK_TAIL;
      if (isFirst && type != chunkType('IHDR')) {
        this.problem = 'it does not begin with a header';
        return;
      }
      const isData = type == chunkType('IDAT');
      const isUsed = isData || type == chunkType('tRNS');
      // Bit 5 of the first letter: a chunk without which the picture can be shown all the same.
      if (!isUsed && (type & 0x20) != 0) continue;
      if (bswap<u32>(load<u32>(data + length)) != crc32(data - 4, data + length)) {
        this.problem = 'a chunk has a wrong checksum';
        return;
      }
      if (isFirst) {
        this.readHeader(data, length);
        isFirst = false;
      } else if (isData) {
        this.addData(data, length, isDataOver);
      } else {
        isDataOver = this.dataStart != 0;
        if (type == chunkType('IEND')) break;
        if (type == chunkType('PLTE')) this.readPalette(data, length);
        else if (isUsed) this.readTransparency(data, length);
        else this.problem = 'it has a chunk of an unknown kind that is needed to show it';
      }
    }
    if (this.problem.length == 0 && this.dataStart == 0) this.problem = 'it has no image data';
  }

  private readHeader(data: usize, length: u32): void {
    if (length != HEADER_BYTES) {
      this.problem = 'its header is not 13 bytes long';
      return;
    }
    const width = bswap<u32>(load<u32>(data));
    const height = bswap<u32>(load<u32>(data, 4));
    this.depth = load<u8>(data, 8);
    this.type = load<u8>(data, 9);
    if (width == 0 || height == 0) {
      this.problem = 'its width or height is 0';
    } else if (width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX) {
      this.problem = tooLarge(width, height, PIXELS_MAX);
    } else if (!isFormat(this.type, this.depth)) {
      this.problem = 'colour type ' + this.type.toString() + ' with depth ' + this.depth.toString() + ' does not exist';
    } else if (load<u8>(data, 10) != 0 || load<u8>(data, 11) != 0 || load<u8>(data, 12) > 1) {
      this.problem = 'its header names a method that does not exist';
    } else {
      this.width = width;
      this.height = height;
      this.isInterlaced = load<u8>(data, 12) == 1;
      if (this.isInterlaced && width * height > INTERLACED_PIXELS_MAX) {
        this.problem = 'interlaced, ' + tooLarge(width, height, INTERLACED_PIXELS_MAX);
      }
    }
  }

  private readPalette(data: usize, length: u32): void {
    const colours = length / 3;
    const isAllowed = this.type != TYPE_GREY && this.type != TYPE_GREY_ALPHA;
    if (!isAllowed || this.hasPalette || this.hasTransparency || this.dataStart != 0) {
      this.problem = 'it has a palette where there must be none';
    } else if (colours * 3 != length || colours == 0 || colours > PALETTE_MAX) {
      this.problem = 'its palette has a wrong length';
    } else {
      this.hasPalette = true;
      const palette = this.palette;
      palette.fill(OPAQUE);
      for (let i: u32 = 0; i < colours; i++) {
        const colour = data + 3 * i;
        palette[i] = OPAQUE | load<u8>(colour) | (load<u8>(colour, 1) << 8) | (load<u8>(colour, 2) << 16);
      }
    }
  }

  private readTransparency(data: usize, length: u32): void {
    const isKey = this.type == TYPE_GREY || this.type == TYPE_RGB;
    if (this.hasTransparency || this.dataStart != 0 || (!isKey && !(this.type == TYPE_PALETTE && this.hasPalette))) {
      this.problem = 'it has a transparency chunk where there must be none';
    } else if (isKey ? length != <u32>(this.channels << 1) : length == 0 || length > PALETTE_MAX) {
      this.problem = 'its transparency chunk has a wrong length';
    } else {
      this.hasTransparency = true;
      if (isKey) {
        this.hasKey = true;
        this.keyRed = bswap<u16>(load<u16>(data));
        if (this.type == TYPE_RGB) {
          this.keyGreen = bswap<u16>(load<u16>(data, 2));
          this.keyBlue = bswap<u16>(load<u16>(data, 4));
        }
      } else {
        for (let i: u32 = 0; i < length; i++) {
          this.palette[i] = (this.palette[i] & ~OPAQUE) | (load<u8>(data + i) << 24);
        }
      }
    }
  }

  /** Image data comes in pieces: they are moved together, over the chunk heads between them. */
  private addData(data: usize, length: u32, isDataOver: bool): void {
    if (isDataOver) {
      this.problem = 'its image data is interrupted by another chunk';
    } else if (this.type == TYPE_PALETTE && !this.hasPalette) {
      this.problem = 'it has no palette';
    } else if (this.dataStart == 0) {
      this.dataStart = data;
      this.dataEnd = data + length;
    } else {
      memory.copy(this.dataEnd, data, length);
      this.dataEnd += length;
    }
  }
}

function isFormat(type: i32, depth: i32): bool {
  if (type == TYPE_GREY) return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
  if (type == TYPE_PALETTE) return depth == 1 || depth == 2 || depth == 4 || depth == 8;
  return (type == TYPE_RGB || type == TYPE_GREY_ALPHA || type == TYPE_RGB_ALPHA) && (depth == 8 || depth == 16);
}

function tooLarge(width: u32, height: u32, pixels: u32): string {
  const size = width.toString() + ' by ' + height.toString();
  const limit = SIDE_MAX.toString() + ' in one direction and ' + pixels.toString() + ' in all';
  return size + ' pixels are too many: at most ' + limit;
}

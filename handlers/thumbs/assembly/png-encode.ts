import { CHUNK_HEAD, CHUNK_TAIL, SIGNATURE, sealChunk } from '../../png/assembly/png-chunks';
import { Deflater } from './deflate';
import { paeth } from './rows';

const FILTERS: i32 = 5;

/** A PNG of these RGBA pixels, with as few samples a pixel as they need. */
export function encodePng(pixels: Uint8Array, width: i32, height: i32): Uint8Array {
  const channels = channelsOf(pixels);
  const data = Deflater.compress(filterRows(pack(pixels, channels), width * channels, height, channels));
  const file = new Uint8Array(8 + 13 + data.length + 3 * (CHUNK_HEAD + CHUNK_TAIL));
  let at = file.dataStart;
  store<u64>(at, SIGNATURE);
  at += 8;
  store<u32>(at + CHUNK_HEAD, bswap<u32>(width));
  store<u32>(at + CHUNK_HEAD, bswap<u32>(height), 4);
  store<u8>(at + CHUNK_HEAD, 8, 8);
  // Grey, grey and alpha, RGB, RGB and alpha are the types 0, 4, 2, 6.
  store<u8>(at + CHUNK_HEAD, (i32(channels > 2) << 1) | (i32((channels & 1) == 0) << 2), 9);
  at += sealChunk(at, 'IHDR', 13);
  memory.copy(at + CHUNK_HEAD, data.dataStart, data.length);
  at += sealChunk(at, 'IDAT', data.length);
  sealChunk(at, 'IEND', 0);
  return file;
}

function channelsOf(pixels: Uint8Array): i32 {
  let isOpaque = true;
  let isGrey = true;
  for (let at = pixels.dataStart, end = at + pixels.length; at < end; at += 4) {
    const pixel = load<u32>(at);
    if (pixel >>> 24 != 255) isOpaque = false;
    if (((pixel ^ (pixel >>> 8)) & 0xffff) != 0) isGrey = false;
  }
  return (isGrey ? 1 : 3) + i32(!isOpaque);
}

/** Drops the samples that are not needed. */
function pack(pixels: Uint8Array, channels: i32): Uint8Array {
  if (channels == 4) return pixels;
  const packed = new Uint8Array((pixels.length >> 2) * channels);
  let into = packed.dataStart;
  for (let at = pixels.dataStart, end = at + pixels.length; at < end; at += 4) {
    store<u8>(into++, load<u8>(at));
    if (channels == 3) {
      store<u8>(into++, load<u8>(at, 1));
      store<u8>(into++, load<u8>(at, 2));
    } else if (channels == 2) {
      store<u8>(into++, load<u8>(at, 3));
    }
  }
  return packed;
}

/** Each row with the filter that makes its bytes smallest in sum: a guess at what compresses best, and a good one. */
function filterRows(rows: Uint8Array, rowBytes: i32, height: i32, step: i32): Uint8Array {
  const filtered = new Uint8Array((rowBytes + 1) * height);
  const nothing = new Uint8Array(rowBytes);
  const attempt = new Uint8Array(rowBytes);
  for (let y = 0; y < height; y++) {
    const row = rows.dataStart + rowBytes * y;
    const above = y > 0 ? row - rowBytes : nothing.dataStart;
    const into = filtered.dataStart + (rowBytes + 1) * y;
    let best = i32.MAX_VALUE;
    for (let filter = 0; filter < FILTERS; filter++) {
      const sum = applyFilter(filter, row, above, rowBytes, step, attempt.dataStart);
      if (sum >= best) continue;
      best = sum;
      store<u8>(into, filter);
      memory.copy(into + 1, attempt.dataStart, rowBytes);
    }
  }
  return filtered;
}

function applyFilter(filter: i32, row: usize, above: usize, length: i32, step: i32, into: usize): i32 {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const up: i32 = load<u8>(above + i);
    const left: i32 = i < step ? 0 : load<u8>(row + i - step);
    let predicted = 0;
    if (filter == 1) predicted = left;
    else if (filter == 2) predicted = up;
    else if (filter == 3) predicted = (left + up) >> 1;
    else if (filter == 4) predicted = paeth(left, up, i < step ? 0 : load<u8>(above + i - step));
    const difference = <i8>(<i32>load<u8>(row + i) - predicted);
    store<u8>(into + i, difference);
    sum += abs<i32>(difference);
  }
  return sum;
}

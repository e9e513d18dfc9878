/**
 * UTF-8 in both directions, never failing and never reading or writing outside the range given: each byte that is no
 * part of a character, and each half of a surrogate pair alone, becomes U+FFFD. The standard library's own decoder
 * trusts its input; ours meets strangers'.
 */

const REPLACEMENT: i32 = 0xfffd;

/** Bytes that `utf8Write` needs at most for this text: exact but for surrogate pairs, which it counts as six. */
export function utf8LengthMax(text: string): i32 {
  let length = 0;
  for (let at = changetype<usize>(text), end = at + (text.length << 1); at < end; at += 2) {
    const unit: i32 = load<u16>(at);
    length += 1 + i32(unit > 0x7f) + i32(unit > 0x7ff);
  }
  return length;
}

/** Writes `text` at `dst`, where there is room for `utf8LengthMax(text)` bytes; returns where it ends. */
export function utf8Write(text: string, dst: usize): usize {
  let at = changetype<usize>(text);
  const end = at + (text.length << 1);
  while (at < end) {
    let point: i32 = load<u16>(at);
    at += 2;
    if (point < 0x80) {
      store<u8>(dst++, point);
      continue;
    }
    if ((point & 0xf800) == 0xd800) {
      const next: i32 = point < 0xdc00 && at < end ? load<u16>(at) : 0;
      if ((next & 0xfc00) == 0xdc00) {
        point = ((point - 0xd7c0) << 10) | (next & 0x3ff);
        at += 2;
      } else {
        point = REPLACEMENT;
      }
    }
    let shift = point < 0x800 ? 6 : point < 0x10000 ? 12 : 18;
    // The first byte's mark, 110, 1110 or 11110, is a run of ones that grows by one for every six bits.
    store<u8>(dst++, (0xf80 >> (shift / 6)) | (point >> shift));
    do {
      shift -= 6;
      store<u8>(dst++, 0x80 | ((point >> shift) & 0x3f));
    } while (shift > 0);
  }
  return dst;
}

/** The text of `length` bytes at `src`. */
export function utf8Decode(src: usize, length: i32): string {
  const end = src + length;
  // Never more UTF-16 units than bytes: one pass into the longest string, and a copy only where that is too long.
  const text = __new((<usize>length) << 1, idof<string>());
  let dst = text;
  while (src < end) {
    let point: i32 = load<u8>(src++);
    if (point > 0x7f) {
      // The leading ones of the first byte say how many bytes there are; a following byte has one.
      const size = clz(~(point << 24));
      let value = point & (0x7f >> size);
      let left = size - 1;
      let at = src;
      while (left > 0 && at < end && (load<u8>(at) & 0xc0) == 0x80) {
        value = (value << 6) | (load<u8>(at++) & 0x3f);
        left--;
      }
      // No overlong forms, no surrogates, nothing above U+10FFFF. Five and more bytes fail as being overlong.
      if (
        left == 0 &&
        size == 1 + i32(value > 0x7f) + i32(value > 0x7ff) + i32(value > 0xffff) &&
        size > 1 &&
        value < 0x110000 &&
        value >> 11 != 0x1b
      ) {
        point = value;
        src = at;
      } else {
        point = REPLACEMENT;
      }
    }
    if (point > 0xffff) {
      store<u16>(dst, 0xd7c0 + (point >> 10));
      dst += 2;
      point = 0xdc00 | (point & 0x3ff);
    }
    store<u16>(dst, point);
    dst += 2;
  }
  const size = dst - text;
  if (size == (<usize>length) << 1) return changetype<string>(text);
  const shorter = __new(size, idof<string>());
  memory.copy(shorter, text, size);
  return changetype<string>(shorter);
}

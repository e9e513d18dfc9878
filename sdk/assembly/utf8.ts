/**
 * UTF-8 in both directions, never failing and never reading or writing outside the range given: what is not valid
 * becomes U+FFFD, exactly as a browser's TextDecoder does it. The standard library's own decoder trusts its input;
 * ours meets strangers'.
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
      // Leading ones of the first byte: 2, 3 or 4 begin a character of so many bytes.
      const size = clz(~(point << 24));
      let missing = size - 1;
      if (point < 0xc2 || point > 0xf4) {
        missing = 0;
        point = REPLACEMENT;
      } else {
        point &= 0x3f >> missing;
      }
      for (; missing > 0; missing--) {
        const next: i32 = src < end ? load<u8>(src) : 0;
        const longer = (point << 6) | (next & 0x3f);
        // Behind the first byte alone: no overlong forms, no surrogates, nothing above U+10FFFF.
        if (
          (next & 0xc0) != 0x80 ||
          (missing == size - 1 &&
            (size == 3 ? longer < 0x20 || (longer & 0x3e0) == 0x360 : size == 4 && (longer < 0x10 || longer > 0x10f)))
        ) {
          point = REPLACEMENT;
          break;
        }
        point = longer;
        src++;
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

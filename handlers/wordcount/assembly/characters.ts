/** White space of Unicode (the property White_Space): what separates words. */
export function isSpace(point: i32): bool {
  if (point <= 0x20) return point == 0x20 || (point >= 0x09 && point <= 0x0d);
  if (point < 0x1680) return point == 0x85 || point == 0xa0;
  return (
    (point >= 0x2000 && point <= 0x200a) ||
    point == 0x1680 ||
    point == 0x2028 ||
    point == 0x2029 ||
    point == 0x202f ||
    point == 0x205f ||
    point == 0x3000
  );
}

/** Punctuation that words are quoted, ended and bracketed with. */
export function isPunctuation(point: i32): bool {
  if (point < 0x80) return !isAsciiLetter(point | 0x20) && !(point >= 0x30 && point <= 0x39);
  if (point < 0x2010) return point == 0xa1 || point == 0xab || point == 0xb7 || point == 0xbb || point == 0xbf;
  if (point < 0x3001) return point <= 0x205e;
  return (
    point <= 0x3003 || (point >= 0x3008 && point <= 0x3011) || point == 0xff01 || point == 0xff0c || point == 0xff1f
  );
}

/** Small letters for the capitals of Latin-1, Greek and Cyrillic; all have as many bytes as their capitals. */
export function fold(point: i32): i32 {
  if (point < 0x80) return point >= 0x41 && point <= 0x5a ? point | 0x20 : point;
  if (point >= 0xc0 && point <= 0xde) return point == 0xd7 ? point : point + 0x20;
  if (point >= 0x391 && point <= 0x3a9) return point + 0x20;
  if (point >= 0x410 && point <= 0x42f) return point + 0x20;
  if (point >= 0x400 && point <= 0x40f) return point + 0x50;
  return point;
}

function isAsciiLetter(small: i32): bool {
  return small >= 0x61 && small <= 0x7a;
}

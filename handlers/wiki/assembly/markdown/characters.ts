export const TAB: i32 = 0x09;
export const NEWLINE: i32 = 0x0a;
export const SPACE: i32 = 0x20;
export const BACKSLASH: i32 = 0x5c;
export const BACKTICK: i32 = 0x60;

/** The unit at `at`, or -1 outside the text. */
export function unitAt(text: string, at: i32): i32 {
  return <u32>at < <u32>text.length ? text.charCodeAt(at) : -1;
}

export function isDigit(unit: i32): bool {
  return <u32>(unit - 0x30) < 10;
}

export function isLetter(unit: i32): bool {
  return <u32>((unit | 0x20) - 0x61) < 26;
}

export function isSpace(unit: i32): bool {
  return unit == SPACE || (unit >= 0x09 && unit <= 0x0d) || unit == 0xa0 || unit == 0x3000 || unit == -1;
}

/** ASCII punctuation (what a backslash can escape), and the most common signs of the rest of Unicode. */
export function isPunctuation(unit: i32): bool {
  if (unit < 0x80) return isAsciiPunctuation(unit);
  // Latin-1 signs but for the letters among them; punctuation and currencies; brackets and stops of East Asia.
  if (unit < 0xc0) return unit >= 0xa1 && unit != 0xaa && unit != 0xb5 && unit != 0xba && unit != 0xad;
  return (unit >= 0x2010 && unit <= 0x205e) || (unit >= 0x20a0 && unit <= 0x20c0) || (unit >= 0x3001 && unit <= 0x3011);
}

export function isAsciiPunctuation(unit: i32): bool {
  return (
    (unit >= 0x21 && unit <= 0x2f) ||
    (unit >= 0x3a && unit <= 0x40) ||
    (unit >= 0x5b && unit <= 0x60) ||
    (unit >= 0x7b && unit <= 0x7e)
  );
}

/** How many units equal to the one at `at` follow one another. */
export function runLength(text: string, at: i32): i32 {
  const unit = unitAt(text, at);
  let end = at;
  while (end < text.length && text.charCodeAt(end) == unit) end++;
  return end - at;
}

/** Without the white space around it. The standard library's `trim` leaves some where there is much. */
export function trimmed(text: string): string {
  return text.trimEnd().trimStart();
}

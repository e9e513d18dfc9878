import { decimalValue } from './decimal';

function skipDigits(text: string, at: i32): i32 {
  while (at < text.length && <u32>(text.charCodeAt(at) - 0x30) < 10) at++;
  return at;
}

function skipSign(text: string, at: i32): i32 {
  const sign = text.charCodeAt(at);
  return sign == 0x2b || sign == 0x2d ? at + 1 : at;
}

/**
 * A decimal number such as `-12.5` or `1e-3`, to the nearest `f64`; NaN for anything else, where `parseFloat` would take
 * `12 apples` for 12.
 */
export function parseNumber(text: string): f64 {
  const start = skipSign(text, 0);
  let at = skipDigits(text, start);
  let digits = at - start;
  if (at < text.length && text.charCodeAt(at) == 0x2e) {
    const fraction = at + 1;
    at = skipDigits(text, fraction);
    digits += at - fraction;
  }
  if (digits == 0) return NaN;
  if (at < text.length && (text.charCodeAt(at) | 0x20) == 0x65) {
    const exponent = skipSign(text, at + 1);
    at = skipDigits(text, exponent);
    if (at == exponent) return NaN;
  }
  return at == text.length ? decimalValue(text) : NaN;
}

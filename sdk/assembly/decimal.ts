/*
 * Decimal digits to the nearest `f64`. The standard library's `parseFloat` is no good for this: beyond 10^39 it is often
 * wrong by whole digits.
 */

/** Digits that matter at most: a decimal half-way between two `f64` has no more than 768. */
const DIGITS_MAX: i32 = 770;
/** Room for so many digits, and for the longest division: 770 digits of a number near 10^-345. */
const LIMBS: i32 = 160;
const BILLION: u32 = 1_000_000_000;

// A natural number, the least significant 32 bits first.
let limbs: StaticArray<u32> = [];
let size: i32 = 0;

function multiplyAdd(factor: u32, addend: u32): void {
  let carry: u64 = addend;
  for (let i = 0; i < size; i++) {
    carry += <u64>unchecked(limbs[i]) * factor;
    unchecked((limbs[i] = <u32>carry));
    carry >>= 32;
  }
  if (carry > 0) limbs[size++] = <u32>carry;
}

/** Divides and returns the remainder. */
function divide(divisor: u32): u32 {
  let rest: u64 = 0;
  for (let i = size - 1; i >= 0; i--) {
    rest = (rest << 32) | unchecked(limbs[i]);
    unchecked((limbs[i] = <u32>(rest / divisor)));
    rest %= divisor;
  }
  while (size > 0 && limbs[size - 1] == 0) size--;
  return <u32>rest;
}

function powerOfTen(exponent: i32): u32 {
  let power: u32 = 1;
  for (; exponent > 0; exponent--) power *= 10;
  return power;
}

/** The value of a text that is a decimal number: sign, digits with a point, exponent. */
export function decimalValue(text: string): f64 {
  let at = 0;
  const first = text.charCodeAt(0);
  if (first == 0x2b || first == 0x2d) at++;
  limbs = new StaticArray<u32>(LIMBS);
  size = 0;
  let digits = 0;
  let exponent = 0;
  let small: u64 = 0;
  let inFraction = false;
  let isCut = false;
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit == 0x2e) {
      inFraction = true;
      continue;
    }
    const digit: u32 = unit - 0x30;
    if (digit > 9) break;
    if (digits < DIGITS_MAX) {
      if (inFraction) exponent--;
      if (digits == 0 && digit == 0) continue;
      multiplyAdd(10, digit);
      if (digits < 18) small = small * 10 + digit;
      digits++;
    } else {
      if (!inFraction) exponent++;
      if (digit != 0) isCut = true;
    }
  }
  const magnitude = digits == 0 ? 0.0 : scaled(small, digits, exponent + exponentOf(text, at), isCut);
  return first == 0x2d ? -magnitude : magnitude;
}

function exponentOf(text: string, at: i32): i32 {
  if (at >= text.length) return 0;
  const sign = text.charCodeAt(++at);
  if (sign == 0x2b || sign == 0x2d) at++;
  let exponent = 0;
  for (; at < text.length; at++) exponent = min(exponent * 10 + (text.charCodeAt(at) - 0x30), 100_000_000);
  return sign == 0x2d ? -exponent : exponent;
}

/** The digits in `limbs` times ten to the `exponent`; `isInexact` says that the true value is a little larger. */
function scaled(small: u64, digits: i32, exponent: i32, isInexact: bool): f64 {
  if (digits + exponent > 310) return Infinity;
  if (digits + exponent < -330) return 0;
  if (digits <= 15 && abs(exponent) <= 22) {
    // Both are exact, so their product or quotient is the nearest there is.
    let power: f64 = 1;
    for (let i = abs(exponent); i > 0; i--) power *= 10;
    return exponent < 0 ? <f64>small / power : <f64>small * power;
  }
  for (; exponent >= 9; exponent -= 9) multiplyAdd(BILLION, 0);
  if (exponent > 0) multiplyAdd(powerOfTen(exponent), 0);
  let shift = 0;
  if (exponent < 0) {
    // So many limbs behind the point that at least 64 bits are left: a digit is less than 10/3 bits.
    const wanted = ((-exponent * 10) / 3 + 96) / 32;
    shift = max(wanted - size, 0) + 1;
    memory.copy(changetype<usize>(limbs) + (shift << 2), changetype<usize>(limbs), size << 2);
    memory.fill(changetype<usize>(limbs), 0, shift << 2);
    size += shift;
    for (; exponent <= -9; exponent += 9) isInexact = divide(BILLION) != 0 || isInexact;
    if (exponent < 0) isInexact = divide(powerOfTen(-exponent)) != 0 || isInexact;
  }
  return rounded(shift << 5, isInexact);
}

/** The number in `limbs` divided by two to the `shift`, as the nearest `f64`, of two that are as near the even one. */
function rounded(shift: i32, isInexact: bool): f64 {
  const zeros = clz(limbs[size - 1]);
  const at = size - 3;
  // The 96 highest bits, of which the first 64 that count are kept.
  const high = ((<u64>limbs[size - 1]) << 32) | (size > 1 ? limbs[size - 2] : 0);
  const low: u32 = at >= 0 ? limbs[at] : 0;
  const mantissa = zeros == 0 ? high : (high << zeros) | (low >> (32 - zeros));
  if (low << zeros != 0) isInexact = true;
  for (let i = 0; i < at && !isInexact; i++) isInexact = limbs[i] != 0;

  // The place of the highest bit.
  const exponent = size * 32 - <i32>zeros - 1 - shift;
  if (exponent > 1023) return Infinity;
  const isNormal = exponent >= -1022;
  const dropped: u64 = isNormal ? 11 : 11 + (-1022 - exponent);
  if (dropped > 64) return 0;
  const kept = dropped == 64 ? 0 : mantissa >> dropped;
  const rest = dropped == 64 ? mantissa : mantissa & (((<u64>1) << dropped) - 1);
  const half = (<u64>1) << (dropped - 1);
  const isUp = rest > half || (rest == half && (isInexact || (kept & 1) == 1));
  // A carry out of the fraction goes into the exponent, as it should.
  const base: u64 = isNormal ? (<u64>(exponent + 1022)) << 52 : 0;
  return reinterpret<f64>(base + kept + u64(isUp));
}

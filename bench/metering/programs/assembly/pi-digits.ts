// Digits of pi by a spigot over long integers of 32-bit limbs.
function multiply(a: Uint32Array, by: u32): void {
  let carry: u64 = 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const product = u64(a[i]) * u64(by) + carry;
    a[i] = u32(product);
    carry = product >> 32;
  }
}

function divide(a: Uint32Array, by: u32): void {
  let rest: u64 = 0;
  for (let i = 0; i < a.length; i++) {
    const part = (rest << 32) | u64(a[i]);
    a[i] = u32(part / u64(by));
    rest = part % u64(by);
  }
}

function add(a: Uint32Array, b: Uint32Array, sign: i64): bool {
  let carry: i64 = 0;
  let any: u32 = 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const sum = i64(a[i]) + sign * i64(b[i]) + carry;
    a[i] = u32(sum);
    carry = sum >> 32;
    any |= b[i];
  }
  return any != 0;
}

/** times * arctan(1 / x), by its series. */
function arctan(x: u32, times: u32, limbs: i32): Uint32Array {
  const sum = new Uint32Array(limbs);
  const power = new Uint32Array(limbs);
  const term = new Uint32Array(limbs);
  power[0] = times;
  divide(power, x);
  sum.set(power);
  let sign: i64 = 1;
  let n: u32 = 3;
  do {
    divide(power, x);
    divide(power, x);
    term.set(power);
    divide(term, n);
    n += 2;
    sign = -sign;
  } while (add(sum, term, sign));
  return sum;
}

export function run(rounds: i32): i32 {
  let digits = 0;
  for (let r = 0; r < rounds; r++) {
    const limbs = 8 + (r & 3);
    const pi = arctan(5, 16, limbs);
    add(pi, arctan(239, 4, limbs), -1);
    for (let i = 0; i < limbs * 9; i++) {
      digits = digits * 3 + i32(pi[0]);
      pi[0] = 0;
      multiply(pi, 10);
    }
  }
  return digits;
}

#include "bench.h"
/* The compression of SHA-256; its constants are the roots of the first primes, computed here. */
static u32 key[64], state[8];
static u32 rotate(u32 x, u32 n) { return x >> n | x << (32 - n); }
static u32 fraction(f64 x) { return (u32)(u64)((x - (f64)(u64)x) * 4294967296.0); }
static f64 cube_root(f64 x) {
  f64 y = x;
  for (u32 i = 0; i < 60; i++) y -= (y * y * y - x) / (3 * y * y);
  return y;
}
static void compress(u32 *w) {
  u32 s[8];
  for (u32 i = 16; i < 64; i++) {
    u32 a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
  }
  for (u32 i = 0; i < 8; i++) s[i] = state[i];
  for (u32 i = 0; i < 64; i++) {
    u32 one = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + key[i] + w[i];
    u32 two = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    for (u32 k = 7; k > 0; k--) s[k] = s[k - 1];
    s[4] += one;
    s[0] = one + two;
  }
  for (u32 i = 0; i < 8; i++) state[i] += s[i];
}
EXPORT(run) u32 run(u32 rounds) {
  for (u32 n = 2, count = 0; count < 64; n++) {
    u32 prime = 1;
    for (u32 d = 2; d * d <= n; d++) if (n % d == 0) prime = 0;
    if (!prime) continue;
    if (count < 8) state[count] = fraction(__builtin_sqrt((f64)n));
    key[count++] = fraction(cube_root(n));
  }
  u32 block[64];
  for (u32 r = 0; r < rounds * 8; r++) {
    for (u32 i = 0; i < 16; i++) block[i] = state[i & 7] + i * r;
    compress(block);
  }
  return state[0] ^ state[7];
}

#include "bench.h"
enum { SIZE = 6144 };
static u8 plain[SIZE], coded[SIZE / 3 * 4];
EXPORT(run) u32 run(u32 rounds) {
  static const u8 letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (u32 i = 0; i < SIZE; i++) plain[i] = (u8)(i * 7);
  u32 sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    u8 *to = coded;
    for (u32 i = 0; i < SIZE; i += 3) {
      u32 word = (u32)plain[i] << 16 | (u32)plain[i + 1] << 8 | plain[i + 2];
      *to++ = letters[word >> 18];
      *to++ = letters[word >> 12 & 63];
      *to++ = letters[word >> 6 & 63];
      *to++ = letters[word & 63];
    }
    sum += coded[r % sizeof coded];
    plain[r % SIZE]++;
  }
  return sum;
}

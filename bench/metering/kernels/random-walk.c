#include "bench.h"
EXPORT(run) u32 run(u32 rounds) {
  u64 a = 0x9e3779b97f4a7c15ull, b = 0xd1b54a32d192ed03ull, sum = 0;
  for (u32 r = 0; r < rounds * 4096; r++) {
    u64 x = a, y = b;
    a = y;
    x ^= x << 23;
    b = x ^ y ^ x >> 17 ^ y >> 26;
    sum += b + y;
  }
  return (u32)(sum >> 32);
}

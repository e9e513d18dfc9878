#include "bench.h"
EXPORT(run) u32 run(u32 rounds) {
  u32 longest = 0;
  for (u32 n = 1; n <= rounds * 256; n++) {
    u64 x = n & 0xffff;
    u32 steps = 0;
    for (; x > 1; steps++) x = x & 1 ? 3 * x + 1 : x >> 1;
    if (steps > longest) longest = steps;
  }
  return longest;
}

#include "bench.h"
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0, seed = 5;
  for (u32 r = 0; r < rounds * 64; r++) {
    u32 a = next_random(&seed), b = next_random(&seed);
    while (b != 0) {
      u32 rest = a % b;
      a = b;
      b = rest;
    }
    sum += a;
  }
  return sum;
}

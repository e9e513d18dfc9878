#include "bench.h"
EXPORT(run) u32 run(u32 rounds) {
  u64 sum = 0;
  for (u32 r = 1; r <= rounds * 16; r++) {
    u64 base = r * 2654435761u % 1000003, result = 1;
    for (u32 e = 1000001; e > 0; e >>= 1, base = base * base % 1000003) if (e & 1) result = result * base % 1000003;
    sum += result;
  }
  return (u32)sum;
}

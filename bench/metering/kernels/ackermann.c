#include "bench.h"
/* Pure recursion, deep. */
NOINLINE static u32 ackermann(u32 m, u32 n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0;
  for (u32 i = 0; i < rounds; i++) sum += ackermann(2, 60 + (i & 7));
  return sum;
}

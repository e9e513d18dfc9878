#include "bench.h"
/* Pure recursion, two calls of itself. */
NOINLINE static u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0;
  for (u32 i = 0; i < rounds; i++) sum += fibonacci(16 + (i & 1));
  return sum;
}

#include "bench.h"
/* Pure recursion, three parameters, four calls of itself. */
NOINLINE static i32 tak(i32 x, i32 y, i32 z) {
  return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z;
}
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0;
  for (u32 i = 0; i < rounds; i++) sum += tak(12, 8, (i32)(i & 3));
  return sum;
}

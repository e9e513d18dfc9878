#include "bench.h"
/* Backtracking: recursion round a loop. */
static u32 place(u32 columns, u32 left, u32 right, u32 all) {
  if (columns == all) return 1;
  u32 count = 0;
  for (u32 free = all & ~(columns | left | right); free; free &= free - 1) {
    u32 bit = free & -free;
    count += place(columns | bit, (left | bit) << 1, (right | bit) >> 1, all);
  }
  return count;
}
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0;
  for (u32 r = 0; r < rounds; r++) sum += place(0, 0, r & 1, 255);
  return sum;
}

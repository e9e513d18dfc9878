#include "bench.h"
enum { COUNT = 2048 };
static u32 values[COUNT];
static void sift(u32 root, u32 count) {
  u32 value = values[root];
  for (u32 child; (child = 2 * root + 1) < count; root = child) {
    if (child + 1 < count && values[child + 1] > values[child]) child++;
    if (values[child] <= value) break;
    values[root] = values[child];
  }
  values[root] = value;
}
EXPORT(run) u32 run(u32 rounds) {
  u32 seed = 11, sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < COUNT; i++) values[i] = next_random(&seed);
    for (u32 i = COUNT / 2; i-- > 0;) sift(i, COUNT);
    for (u32 i = COUNT - 1; i > 0; i--) {
      u32 top = values[0];
      values[0] = values[i];
      values[i] = top;
      sift(0, i);
    }
    sum += values[r % COUNT];
  }
  return sum;
}

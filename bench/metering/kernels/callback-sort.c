#include "bench.h"
/* A shell sort that compares through a function pointer: an indirect call in the innermost loop. */
enum { COUNT = 1024 };
static u32 values[COUNT];
typedef i32 (*Compare)(u32, u32);
static i32 up(u32 a, u32 b) { return a < b ? -1 : a > b; }
static i32 down(u32 a, u32 b) { return up(b, a); }
static i32 by_low_bits(u32 a, u32 b) { return (i32)(a & 0xffff) - (i32)(b & 0xffff); }
static Compare const orders[3] = {up, down, by_low_bits};
NOINLINE static void sort(Compare compare) {
  for (u32 gap = COUNT / 2; gap > 0; gap /= 2)
    for (u32 i = gap; i < COUNT; i++) {
      u32 value = values[i], j = i;
      for (; j >= gap && compare(values[j - gap], value) > 0; j -= gap) values[j] = values[j - gap];
      values[j] = value;
    }
}
EXPORT(run) u32 run(u32 rounds) {
  u32 seed = 3, sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < COUNT; i++) values[i] = next_random(&seed);
    sort(orders[r % 3]);
    sum += values[r % COUNT];
  }
  return sum;
}

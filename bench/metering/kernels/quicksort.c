#include "bench.h"
enum { COUNT = 2048 };
static i32 values[COUNT];
static void sort(i32 low, i32 high) {
  if (low >= high) return;
  i32 i = low, j = high, pivot = values[(low + high) / 2];
  while (i <= j) {
    while (values[i] < pivot) i++;
    while (values[j] > pivot) j--;
    if (i <= j) {
      i32 swap = values[i];
      values[i++] = values[j];
      values[j--] = swap;
    }
  }
  sort(low, j);
  sort(i, high);
}
EXPORT(run) u32 run(u32 rounds) {
  u32 seed = 7, sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < COUNT; i++) values[i] = (i32)next_random(&seed);
    sort(0, COUNT - 1);
    sum += values[r % COUNT];
  }
  return sum;
}

#include "bench.h"
enum { SLOTS = 4096 };
static u64 keys[SLOTS], counts[SLOTS];
static u64 mix(u64 x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdull;
  return x ^ x >> 33;
}
EXPORT(run) u32 run(u32 rounds) {
  u32 seed = 13;
  for (u32 i = 0; i < SLOTS; i++) keys[i] = counts[i] = 0;
  u64 sum = 0;
  for (u32 r = 0; r < rounds * 512; r++) {
    u64 key = 1 + next_random(&seed) % 3000;
    u32 slot = (u32)mix(key) % SLOTS;
    while (keys[slot] != 0 && keys[slot] != key) slot = (slot + 1) % SLOTS;
    keys[slot] = key;
    sum += ++counts[slot];
  }
  return (u32)sum;
}

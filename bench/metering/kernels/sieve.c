#include "bench.h"
enum { SIZE = 32768 };
static u8 composite[SIZE];
EXPORT(run) u32 run(u32 rounds) {
  u32 primes = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < SIZE; i++) composite[i] = 0;
    for (u32 i = 2; i < SIZE; i++) {
      if (composite[i]) continue;
      primes++;
      for (u32 j = i * 2; j < SIZE; j += i) composite[j] = 1;
    }
  }
  return primes;
}

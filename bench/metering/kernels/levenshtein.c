#include "bench.h"
enum { LENGTH = 128 };
static u8 from[LENGTH], to[LENGTH];
static u32 row[LENGTH + 1];
EXPORT(run) u32 run(u32 rounds) {
  u32 seed = 9, sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < LENGTH; i++) from[i] = next_random(&seed) & 7, to[i] = next_random(&seed) & 7;
    for (u32 j = 0; j <= LENGTH; j++) row[j] = j;
    for (u32 i = 0; i < LENGTH; i++) {
      u32 diagonal = row[0];
      row[0] = i + 1;
      for (u32 j = 0; j < LENGTH; j++) {
        u32 change = diagonal + (from[i] != to[j]), add = row[j] + 1, remove = row[j + 1] + 1;
        diagonal = row[j + 1];
        u32 least = add < remove ? add : remove;
        row[j + 1] = change < least ? change : least;
      }
    }
    sum += row[LENGTH];
  }
  return sum;
}

#include "bench.h"
enum { W = 64, H = 64 };
static u8 now[H][W], then[H][W];
EXPORT(run) u32 run(u32 rounds) {
  u32 seed = 17, alive = 0;
  for (u32 y = 0; y < H; y++) for (u32 x = 0; x < W; x++) now[y][x] = next_random(&seed) & 1;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 y = 1; y < H - 1; y++)
      for (u32 x = 1; x < W - 1; x++) {
        u32 around = now[y - 1][x - 1] + now[y - 1][x] + now[y - 1][x + 1] + now[y][x - 1] + now[y][x + 1] +
                     now[y + 1][x - 1] + now[y + 1][x] + now[y + 1][x + 1];
        then[y][x] = around == 3 || (around == 2 && now[y][x]);
      }
    for (u32 y = 0; y < H; y++) for (u32 x = 0; x < W; x++) alive += now[y][x] = then[y][x];
  }
  return alive;
}

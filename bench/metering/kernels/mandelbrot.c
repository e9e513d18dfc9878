#include "bench.h"
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0;
  for (u32 r = 0; r < rounds; r++)
    for (u32 y = 0; y < 24; y++)
      for (u32 x = 0; x < 32; x++) {
        f64 cr = x * 0.09 - 2.0, ci = y * 0.09 - 1.0 + (r & 7) * 0.001, zr = 0, zi = 0;
        u32 n = 0;
        for (; n < 100 && zr * zr + zi * zi < 4.0; n++) {
          f64 next = zr * zr - zi * zi + cr;
          zi = 2 * zr * zi + ci;
          zr = next;
        }
        sum += n;
      }
  return sum;
}

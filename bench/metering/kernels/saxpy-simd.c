#include "bench.h"
/* Four lanes at a time. */
typedef f32 f32x4 __attribute__((vector_size(16)));
enum { VECTORS = 512 };
static f32x4 x[VECTORS], y[VECTORS];
EXPORT(run) u32 run(u32 rounds) {
  for (u32 i = 0; i < VECTORS; i++) for (u32 k = 0; k < 4; k++) x[i][k] = i + k, y[i][k] = i * 0.5f;
  for (u32 r = 0; r < rounds * 4; r++) {
    f32x4 scale = {0.5f, 0.25f, 0.125f, 1.0f / (1 + (r & 7))};
    for (u32 i = 0; i < VECTORS; i++) y[i] = y[i] * 0.5f + x[i] * scale;
  }
  return (u32)(i32)(y[5][0] * 1000 + y[9][3]);
}

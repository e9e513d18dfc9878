#include "bench.h"
enum { BODIES = 5 };
static f64 at[BODIES][3], speed[BODIES][3];
static const f64 mass[BODIES] = {39.5, 0.038, 0.011, 0.0017, 0.002};
EXPORT(run) u32 run(u32 rounds) {
  for (u32 i = 0; i < BODIES; i++)
    for (u32 k = 0; k < 3; k++) at[i][k] = 1.5 * i * (k + 1) + 0.3 * k, speed[i][k] = 0.1 * i - 0.07 * k;
  for (u32 r = 0; r < rounds * 64; r++) {
    for (u32 i = 0; i < BODIES; i++)
      for (u32 j = i + 1; j < BODIES; j++) {
        f64 d[3], square = 0.01;
        for (u32 k = 0; k < 3; k++) d[k] = at[i][k] - at[j][k], square += d[k] * d[k];
        f64 force = 0.001 / (square * __builtin_sqrt(square));
        for (u32 k = 0; k < 3; k++) speed[i][k] -= d[k] * mass[j] * force, speed[j][k] += d[k] * mass[i] * force;
      }
    for (u32 i = 0; i < BODIES; i++) for (u32 k = 0; k < 3; k++) at[i][k] += 0.001 * speed[i][k];
  }
  return (u32)(i32)(at[0][0] * 1e6);
}

#include "bench.h"
enum { N = 40 };
static f64 u[N], v[N], t[N];
static f64 entry(u32 i, u32 j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }
static void times(const f64 *from, f64 *to, u32 transposed) {
  for (u32 i = 0; i < N; i++) {
    f64 sum = 0;
    for (u32 j = 0; j < N; j++) sum += (transposed ? entry(j, i) : entry(i, j)) * from[j];
    to[i] = sum;
  }
}
EXPORT(run) u32 run(u32 rounds) {
  for (u32 i = 0; i < N; i++) u[i] = 1;
  for (u32 r = 0; r < rounds; r++) {
    times(u, t, 0), times(t, v, 1), times(v, t, 0), times(t, u, 1);
    for (u32 i = 0; i < N; i++) u[i] = u[i] / 2 + 0.25;
  }
  return (u32)(u[3] * 1e6);
}

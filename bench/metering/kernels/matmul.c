#include "bench.h"
enum { N = 48 };
static f64 a[N][N], b[N][N], c[N][N];
EXPORT(run) u32 run(u32 rounds) {
  for (u32 i = 0; i < N; i++) for (u32 j = 0; j < N; j++) a[i][j] = i * 0.5 + j, b[i][j] = (i ^ j) * 0.25;
  f64 sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < N; i++)
      for (u32 j = 0; j < N; j++) {
        f64 dot = 0;
        for (u32 k = 0; k < N; k++) dot += a[i][k] * b[k][j];
        c[i][j] = dot;
      }
    sum += c[r % N][(r * 7) % N];
    a[r % N][0] += 1;
  }
  return (u32)(i64)sum;
}

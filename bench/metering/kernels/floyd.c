#include "bench.h"
enum { N = 40 };
static u32 distance[N][N];
EXPORT(run) u32 run(u32 rounds) {
  u32 seed = 23, sum = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < N; i++) for (u32 j = 0; j < N; j++) distance[i][j] = i == j ? 0 : next_random(&seed) % 1000 + 1;
    for (u32 k = 0; k < N; k++)
      for (u32 i = 0; i < N; i++)
        for (u32 j = 0; j < N; j++) {
          u32 way = distance[i][k] + distance[k][j];
          if (way < distance[i][j]) distance[i][j] = way;
        }
    sum += distance[0][N - 1];
  }
  return sum;
}

#include "bench.h"
enum { N = 7 };
EXPORT(run) u32 run(u32 rounds) {
  u32 most = 0, checksum = 0;
  for (u32 r = 0; r < rounds; r++) {
    u32 order[N], count[N], work[N], n = N;
    for (u32 i = 0; i < N; i++) order[i] = i;
    for (u32 sign = 0;; sign ^= 1) {
      for (; n > 1; n--) count[n - 1] = n;
      for (u32 i = 0; i < N; i++) work[i] = order[i];
      u32 flips = 0;
      for (u32 first; (first = work[0]) != 0; flips++)
        for (u32 i = 0, j = first; i < j; i++, j--) {
          u32 swap = work[i];
          work[i] = work[j];
          work[j] = swap;
        }
      if (flips > most) most = flips;
      checksum += sign ? -flips : flips;
      for (;; n++) {
        if (n == N) goto done;
        u32 first = order[0];
        for (u32 i = 0; i < n; i++) order[i] = order[i + 1];
        order[n] = first;
        if (--count[n] > 0) break;
      }
    }
  done:;
  }
  return checksum * 100 + most;
}

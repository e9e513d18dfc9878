#include "bench.h"
/* Alpha-beta over boards of bits, best columns first, with a table of positions seen. */
enum { W = 7, H = 6, SEEN = 4096 };
static u64 seen_key[SEEN];
static i32 seen_score[SEEN];
static u32 visited;
static u32 wins(u64 b) {
  static const u32 ways[4] = {1, H, H + 1, H + 2};
  for (u32 i = 0; i < 4; i++) {
    u64 two = b & b >> ways[i];
    if (two & two >> 2 * ways[i]) return 1;
  }
  return 0;
}
static i32 value(u64 b) {
  i32 sum = 0;
  for (u32 c = 0; c < W; c++) sum += (i32)(c < 4 ? c : 6 - c) * __builtin_popcountll(b >> c * (H + 1) & 63);
  return sum;
}
static i32 search(u64 mine, u64 theirs, i32 alpha, i32 beta, u32 depth) {
  static const u8 order[W] = {3, 2, 4, 1, 5, 0, 6};
  visited++;
  if (depth == 0) return value(mine) - value(theirs);
  u64 key = (mine * 0x9e3779b97f4a7c15ull) ^ theirs ^ (u64)depth << 56;
  u32 slot = (u32)(key >> 40) % SEEN;
  if (seen_key[slot] == key) return seen_score[slot];
  i32 best = -10000;
  for (u32 i = 0; i < W; i++) {
    u64 column = (u64)63 << order[i] * (H + 1), all = mine | theirs;
    u64 move = ((all & column) + ((u64)1 << order[i] * (H + 1))) & column;
    if (!move) continue;
    i32 score = wins(mine | move) ? 1000 + (i32)depth : -search(theirs, mine | move, -beta, -alpha, depth - 1);
    if (score > best) best = score;
    if (best > alpha) alpha = best;
    if (alpha >= beta) break;
  }
  seen_key[slot] = key, seen_score[slot] = best;
  return best;
}
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0;
  visited = 0;
  for (u32 r = 0; r < rounds; r++) {
    for (u32 i = 0; i < SEEN; i++) seen_key[i] = 0;
    sum += search((u64)1 << (r % W) * (H + 1), 0, -10000, 10000, 5);
  }
  return sum + visited;
}

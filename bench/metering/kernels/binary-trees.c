#include "bench.h"
/* Builds and counts trees: recursion and small allocations. */
struct Node { struct Node *left, *right; };
static struct Node pool[1 << 10];
static u32 used;
static struct Node *grow(u32 depth) {
  struct Node *node = &pool[used++];
  node->left = node->right = 0;
  if (depth > 0) node->left = grow(depth - 1), node->right = grow(depth - 1);
  return node;
}
static u32 count(const struct Node *node) { return node->left ? 1 + count(node->left) + count(node->right) : 1; }
EXPORT(run) u32 run(u32 rounds) {
  u32 sum = 0;
  for (u32 r = 0; r < rounds * 4; r++) used = 0, sum += count(grow(4 + r % 5));
  return sum;
}

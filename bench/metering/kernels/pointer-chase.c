#include "bench.h"
struct Node { struct Node *next; u32 value; };
enum { NODES = 4096 };
static struct Node nodes[NODES];
EXPORT(run) u32 run(u32 rounds) {
  for (u32 i = 0; i < NODES; i++) nodes[i].next = &nodes[(i * 1229 + 577) % NODES], nodes[i].value = i;
  u32 sum = 0;
  struct Node *node = nodes;
  for (u32 r = 0; r < rounds * 4096; r++) sum += node->value, node = node->next;
  return sum;
}

#include "bench.h"
/* LZ77 with hash chains, matches and literals as bytes; unpacks again and compares. */
enum { SIZE = 16384, HASHES = 4096, NEAR = 8191, LEAST = 4, MOST = 66, TRIES = 16 };
static u8 text[SIZE], packed[SIZE * 2], again[SIZE + MOST];
static i32 head[HASHES], before[SIZE];

static u32 hash(const u8 *p) {
  return (p[0] * 2654435761u ^ p[1] * 40503u ^ p[2] * 2246822519u ^ p[3] * 3266489917u) >> 7 & (HASHES - 1);
}
static u32 same(const u8 *a, const u8 *b, u32 most) {
  u32 length = 0;
  while (length < most && a[length] == b[length]) length++;
  return length;
}
static u8 *literals(u8 *to, const u8 *from, u32 count) {
  while (count > 0) {
    u32 part = count < 128 ? count : 128;
    *to++ = (u8)(part - 1);
    for (u32 i = 0; i < part; i++) *to++ = *from++;
    count -= part;
  }
  return to;
}
static u32 pack(void) {
  u8 *to = packed;
  u32 plain = 0;
  for (u32 i = 0; i < HASHES; i++) head[i] = -1;
  for (u32 i = 0; i + MOST < SIZE;) {
    u32 h = hash(text + i), best = 0, distance = 0;
    i32 candidate = head[h];
    for (u32 tries = 0; candidate >= 0 && i - candidate <= NEAR && tries < TRIES; tries++, candidate = before[candidate]) {
      u32 length = same(text + candidate, text + i, MOST);
      if (length > best) best = length, distance = i - candidate;
    }
    before[i] = head[h], head[h] = i;
    if (best < LEAST) { i++; continue; }
    to = literals(to, text + plain, i - plain);
    *to++ = (u8)(0x80 | (best - LEAST)), *to++ = (u8)distance, *to++ = (u8)(distance >> 8);
    for (u32 end = i + best; ++i < end;) h = hash(text + i), before[i] = head[h], head[h] = i;
    plain = i;
  }
  to = literals(to, text + plain, SIZE - plain);
  return (u32)(to - packed);
}
static u32 unpack(u32 length) {
  u8 *to = again;
  for (const u8 *from = packed, *end = packed + length; from < end;) {
    u32 code = *from++;
    if (code < 0x80) for (code++; code > 0; code--) *to++ = *from++;
    else {
      u32 distance = from[0] | from[1] << 8;
      from += 2;
      for (u32 count = code - 0x80 + LEAST; count > 0; count--, to++) *to = to[-(i32)distance];
    }
  }
  return (u32)(to - again);
}
EXPORT(run) u32 run(u32 rounds) {
  static const char *const words[] = {"bitswap ", "block ", "peer ", "the ", "ledger of ", "a ", "work, ", "and\n"};
  u32 seed = 29, sum = 0;
  for (u32 i = 0; i < SIZE;) for (const char *w = words[next_random(&seed) & 7]; *w && i < SIZE; w++) text[i++] = *w;
  for (u32 r = 0; r < rounds; r++) {
    text[r * 37 % SIZE]++;
    u32 length = pack();
    sum += length + (unpack(length) == SIZE && same(text, again, SIZE) == SIZE ? 0 : 1000000);
  }
  return sum;
}

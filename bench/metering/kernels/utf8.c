#include "bench.h"
/* Counts code points and line breaks of a text with letters of one to four bytes, refusing what is malformed. */
enum { SIZE = 16384 };
static u8 text[SIZE + 8];
EXPORT(run) u32 run(u32 rounds) {
  static const u8 letters[] = "the \xc3\xa4rger \xe2\x82\xac 9 \xf0\x9f\x90\x9d\n";
  for (u32 i = 0, k = 0; i < SIZE - sizeof letters; i++, k = letters[k + 1] ? k + 1 : 0) text[i] = letters[k];
  u32 sum = 0;
  for (u32 r = 0; r < rounds; r++)
    for (u32 i = 0; text[i];) {
      u8 first = text[i++];
      u32 more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
      for (; more > 0; more--) if ((text[i++] & 0xc0) != 0x80) return ~0u;
      sum += 1 + (first == '\n');
    }
  return sum;
}

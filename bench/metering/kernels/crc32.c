#include "bench.h"
static u32 table[256];
static u8 text[16384];
EXPORT(run) u32 run(u32 rounds) {
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (u32 k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  for (u32 i = 0; i < sizeof text; i++) text[i] = (u8)(i * 31 + (i >> 5));
  u32 crc = ~0u;
  for (u32 r = 0; r < rounds; r++)
    for (u32 i = 0; i < sizeof text; i++) crc = table[(crc ^ text[i]) & 255] ^ (crc >> 8);
  return ~crc;
}

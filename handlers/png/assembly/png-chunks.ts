/** 89 50 4e 47 0d 0a 1a 0a, as memory has it. */
export const SIGNATURE: u64 = 0x0a1a0a0d474e5089;
/** Length and type before a chunk's data, its checksum behind. */
export const CHUNK_HEAD: i32 = 8;
export const CHUNK_TAIL: i32 = 4;

const crcTable: StaticArray<u32> = crcTableOf();

function crcTableOf(): StaticArray<u32> {
  const table = new StaticArray<u32>(256);
  for (let n = 0; n < 256; n++) {
    let crc: u32 = n;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    table[n] = crc;
  }
  return table;
}

/** The checksum of the bytes from `at` to `end`: in a PNG it covers a chunk's type and its data. */
export function crc32(at: usize, end: usize): u32 {
  const table = crcTable;
  let crc: u32 = 0xffffffff;
  for (; at < end; at++) crc = unchecked(table[(crc ^ load<u8>(at)) & 255]) ^ (crc >>> 8);
  return crc ^ 0xffffffff;
}

/** A chunk's type as memory has it: `chunkType('IHDR')`. */
export function chunkType(name: string): u32 {
  let type: u32 = 0;
  for (let i = 0; i < 4; i++) type |= name.charCodeAt(i) << (i << 3);
  return type;
}

/** Completes the chunk whose data lies at `start + CHUNK_HEAD`; returns how long the whole of it is. */
export function sealChunk(start: usize, type: string, length: i32): i32 {
  store<u32>(start, bswap<u32>(length));
  store<u32>(start, chunkType(type), 4);
  const end = start + CHUNK_HEAD + length;
  store<u32>(end, bswap<u32>(crc32(start + 4, end)));
  return CHUNK_HEAD + length + CHUNK_TAIL;
}

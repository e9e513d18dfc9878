/** How an opcode's immediates are laid out, and what it does to the height of the operand stack. */

export const Imm = {
  refused: 0,
  none: 1,
  index: 2,
  memarg: 3,
  blockType: 4,
  branchTable: 5,
  callIndirect: 6,
  i32: 7,
  i64: 8,
  f32: 9,
  f64: 10,
  selectTypes: 11,
  heapType: 12,
  memory: 13,
  prefixed: 14,
} as const;

export const immediates = new Uint8Array(256);
/** Change in stack height; control, calls and `prefixed` are worked out where they are read. */
export const heightChange = new Int8Array(256);

function define(from: number, to: number, imm: number, change: number): void {
  immediates.fill(imm, from, to + 1);
  heightChange.fill(change, from, to + 1);
}

define(0x00, 0x01, Imm.none, 0); // unreachable, nop
define(0x02, 0x04, Imm.blockType, 0); // block, loop, if
define(0x05, 0x05, Imm.none, 0); // else
define(0x0b, 0x0b, Imm.none, 0); // end
define(0x0c, 0x0d, Imm.index, 0); // br, br_if
define(0x0e, 0x0e, Imm.branchTable, 0);
define(0x0f, 0x0f, Imm.none, 0); // return
define(0x10, 0x10, Imm.index, 0); // call
define(0x11, 0x11, Imm.callIndirect, 0);
define(0x12, 0x12, Imm.index, 0); // return_call
define(0x13, 0x13, Imm.callIndirect, 0);
define(0x1a, 0x1a, Imm.none, -1); // drop
define(0x1b, 0x1b, Imm.none, -2); // select
define(0x1c, 0x1c, Imm.selectTypes, -2);
define(0x20, 0x20, Imm.index, 1); // local.get
define(0x21, 0x21, Imm.index, -1); // local.set
define(0x22, 0x22, Imm.index, 0); // local.tee
define(0x23, 0x23, Imm.index, 1); // global.get
define(0x24, 0x24, Imm.index, -1); // global.set
define(0x25, 0x25, Imm.index, 0); // table.get
define(0x26, 0x26, Imm.index, -2); // table.set
define(0x28, 0x35, Imm.memarg, 0); // loads
define(0x36, 0x3e, Imm.memarg, -2); // stores
define(0x3f, 0x3f, Imm.memory, 1); // memory.size
define(0x40, 0x40, Imm.memory, 0); // memory.grow
define(0x41, 0x41, Imm.i32, 1);
define(0x42, 0x42, Imm.i64, 1);
define(0x43, 0x43, Imm.f32, 1);
define(0x44, 0x44, Imm.f64, 1);
define(0x45, 0x45, Imm.none, 0); // i32.eqz
define(0x46, 0x4f, Imm.none, -1); // i32 comparisons
define(0x50, 0x50, Imm.none, 0); // i64.eqz
define(0x51, 0x5a, Imm.none, -1); // i64 comparisons
define(0x5b, 0x66, Imm.none, -1); // f32 and f64 comparisons
define(0x67, 0x69, Imm.none, 0); // i32 clz ctz popcnt
define(0x6a, 0x78, Imm.none, -1); // i32 arithmetic
define(0x79, 0x7b, Imm.none, 0); // i64 clz ctz popcnt
define(0x7c, 0x8a, Imm.none, -1); // i64 arithmetic
define(0x8b, 0x91, Imm.none, 0); // f32 unary
define(0x92, 0x98, Imm.none, -1); // f32 binary
define(0x99, 0x9f, Imm.none, 0); // f64 unary
define(0xa0, 0xa6, Imm.none, -1); // f64 binary
define(0xa7, 0xc4, Imm.none, 0); // conversions, sign extension
define(0xd0, 0xd0, Imm.heapType, 1); // ref.null
define(0xd1, 0xd1, Imm.none, 0); // ref.is_null
define(0xd2, 0xd2, Imm.index, 1); // ref.func
define(0xfc, 0xfd, Imm.prefixed, 0);

/** 1: answers a float computed from others, whose NaN may have any bits; 2: shows a float's bits. */
export const floatUse = new Uint8Array(256);
floatUse.fill(1, 0x8d, 0x98); // f32 ceil ... max
floatUse.fill(1, 0x9b, 0xa6); // f64 ceil ... max
floatUse[0xb6] = floatUse[0xbb] = 1; // f32.demote_f64, f64.promote_f32
for (const op of [0x24, 0x38, 0x39, 0x98, 0xa6, 0xbc, 0xbd]) floatUse[op] = 2; // global.set, stores, copysign, reinterpret

/**
 * 1: answers a value that depends on nothing but its operands. An optimising compiler computes it once where it stands
 * twice, and keeps it on the stack over all calls between.
 */
export const keepsValue = new Uint8Array(256);
keepsValue.fill(1, 0x43, 0xc5); // float constants, comparisons, arithmetic, conversions
for (const op of [0x1b, 0x1c, 0x23, 0x3f, 0xd1]) keepsValue[op] = 1; // select, global.get, memory.size, ref.is_null

/** Names for what is refused by opcode, so that an author knows which compiler flag to drop. */
export function refusedFeature(op: number): string {
  if ((op >= 0x06 && op <= 0x0a) || op === 0x18 || op === 0x19 || op === 0x1f) return 'exceptions';
  if (op === 0x14 || op === 0x15 || (op >= 0xd3 && op <= 0xd6)) return 'typed function references';
  if (op === 0xfb) return 'garbage collection';
  if (op === 0xfe) return 'threads';
  return `the unknown opcode 0x${op.toString(16).padStart(2, '0')}`;
}

/** SIMD: bytes of immediates beside the memarg, and stack change. Indexed by the number after 0xfd. */
export const Simd = { memarg: 1, memargLane: 2, bytes16: 3, lane: 4, none: 5 } as const;
export const simdImmediates = new Uint8Array(256).fill(Simd.none);
export const simdHeightChange = new Int8Array(256).fill(-1);

simdImmediates.fill(Simd.memarg, 0, 12);
simdImmediates.fill(Simd.bytes16, 12, 14);
simdImmediates.fill(Simd.lane, 21, 35);
simdImmediates.fill(Simd.memargLane, 84, 92);
simdImmediates.fill(Simd.memarg, 92, 94);

simdHeightChange.fill(0, 0, 11); // loads
simdHeightChange[11] = -2; // v128.store
simdHeightChange[12] = 1; // v128.const
simdHeightChange.fill(0, 15, 21); // splats
for (const extract of [21, 22, 24, 25, 27, 29, 31, 33]) simdHeightChange[extract] = 0;
simdHeightChange[77] = 0; // v128.not
simdHeightChange[82] = -2; // v128.bitselect
simdHeightChange[83] = 0; // v128.any_true
simdHeightChange.fill(-2, 88, 92); // lane stores
simdHeightChange.fill(0, 92, 101); // zero loads, demote, promote, i8x16 abs neg popcnt all_true bitmask
simdHeightChange.fill(0, 103, 107); // f32x4 rounding
simdHeightChange.fill(0, 116, 118); // f64x2 ceil floor
simdHeightChange[122] = 0; // f64x2.trunc
simdHeightChange.fill(0, 124, 130); // extadd_pairwise, i16x8 abs neg
simdHeightChange.fill(0, 131, 133); // i16x8 all_true bitmask
simdHeightChange.fill(0, 135, 139); // i16x8 extend
simdHeightChange[148] = 0; // f64x2.nearest
simdHeightChange.fill(0, 160, 162);
simdHeightChange.fill(0, 163, 165);
simdHeightChange.fill(0, 167, 171);
simdHeightChange.fill(0, 192, 194);
simdHeightChange.fill(0, 195, 197);
simdHeightChange.fill(0, 199, 203);
simdHeightChange.fill(0, 224, 228); // f32x4 abs neg sqrt
simdHeightChange.fill(0, 236, 240); // f64x2 abs neg sqrt
simdHeightChange.fill(0, 248, 256); // conversions

/** The operations after 0xfc, 8 to 17. */
export const Misc = {
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  elemDrop: 13,
  tableCopy: 14,
  tableGrow: 15,
  tableSize: 16,
  tableFill: 17,
} as const;
export const miscHeightChange = new Int8Array([0, 0, 0, 0, 0, 0, 0, 0, -3, 0, -3, -3, -3, 0, -3, -1, 1, -3]);
/** Number of index immediates. */
export const miscIndices = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1]);

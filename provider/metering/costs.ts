/**
 * The cost table: fuel for one execution of each operation. Part of the meter version. The weights follow `bench metering`:
 * a unit of fuel buys at most ten times the time in the dearest loop known that it buys in the middle of all programs.
 */

/** Operations that emit no code are free: block loop else end nop drop unreachable return. */
export const cost = new Uint16Array(256).fill(1);
for (const op of [0x00, 0x01, 0x02, 0x03, 0x05, 0x0b, 0x0f, 0x1a]) cost[op] = 0;

function weigh(weight: number, ...ops: number[]): void {
  for (const op of ops) cost[op] = weight;
}

function weighRange(weight: number, first: number, last: number): void {
  cost.fill(weight, first, last + 1);
}

weigh(4, 0x0e); // br_table
weigh(5, 0x10, 0x12); // call, return_call
weigh(16, 0x11, 0x13); // call_indirect, return_call_indirect
weigh(4, 0x25); // table.get
weigh(150, 0x26); // table.set
weighRange(4, 0x28, 0x35); // loads
weighRange(3, 0x36, 0x3e); // stores
weigh(2, 0x3f); // memory.size
weigh(3_000, 0x40); // memory.grow, beside the pages
weighRange(2, 0x5b, 0x66); // float comparisons
weigh(2, 0x69, 0x7b); // popcnt
weigh(2, 0x6c, 0x7e); // integer multiplication
weighRange(14, 0x6d, 0x70); // i32 division
weighRange(24, 0x7f, 0x82); // i64 division
weighRange(2, 0x8b, 0xa6); // float arithmetic
weighRange(3, 0x8d, 0x90); // f32 ceil floor trunc nearest
weighRange(3, 0x9b, 0x9e); // f64 ceil floor trunc nearest
weigh(14, 0x95, 0xa3); // float division
weigh(16, 0x91, 0x9f); // square roots
weigh(4, 0x96, 0x97, 0xa4, 0xa5); // float min and max
weighRange(6, 0xa8, 0xab); // float to i32
weighRange(6, 0xae, 0xb1); // float to i64
weighRange(5, 0xb2, 0xb5); // integer to f32
weighRange(5, 0xb7, 0xba); // integer to f64
weigh(3, 0xb6, 0xbb); // demote, promote

/** After 0xfc: saturating conversions, then the fixed part of bulk operations. */
export const miscCost = new Uint16Array([8, 8, 8, 8, 8, 8, 8, 8, 40, 20, 40, 300, 150, 20, 150, 400, 2, 150]);

/** After 0xfd. */
export const simdCost = new Uint16Array(256).fill(2);

function weighSimd(weight: number, ...ops: number[]): void {
  for (const op of ops) simdCost[op] = weight;
}

weighSimd(4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 84, 85, 86, 87, 92, 93); // loads
weighSimd(3, 11, 88, 89, 90, 91); // stores
weighSimd(4, 13); // i8x16.shuffle
weighSimd(7, 83, 99, 131, 163, 195); // any_true, all_true
weighSimd(3, 94, 95); // f32x4.demote_f64x2_zero, f64x2.promote_low_f32x4
weighSimd(4, 98); // i8x16.popcnt
weighSimd(4, 100, 132, 164, 196); // bitmask
weighSimd(3, 103, 104, 105, 106, 116, 117, 122, 148); // float rounding
weighSimd(3, 107, 108, 109, 204); // i8x16 shifts, i64x2.shr_s
weighSimd(3, 124, 125, 126, 127); // extadd_pairwise
weighSimd(3, 130); // i16x8.q15mulr_sat_s
weighSimd(3, 156, 157, 158, 159, 188, 189, 190, 191, 220, 221, 222, 223); // extmul
weighSimd(6, 213); // i64x2.mul
weighSimd(24, 227, 239); // square roots
weighSimd(12, 231, 243); // division
weighSimd(7, 232, 233); // f32x4 min and max
weighSimd(5, 244, 245); // f64x2 min and max
weighSimd(10, 248, 249); // i32x4.trunc_sat_f32x4
weighSimd(10, 250, 251); // f32x4.convert_i32x4
weighSimd(9, 252, 253); // i32x4.trunc_sat_f64x2_zero
weighSimd(3, 254, 255); // f64x2.convert_low_i32x4

/** Entering a function. */
export const entryCost = 2;
/** Declared locals are cleared on entry: one unit for this many. */
export const localsPerUnit = 2;

/** Bytes that memory.copy, memory.fill and memory.init move for one unit. A power of two. */
export const bulkBytesPerUnit = 8;
/** Fuel for one table entry moved, filled, initialised or grown. */
export const tableEntryCost = 100;
/** Fuel for one page that memory.grow adds: clearing it and the page faults on first touch. */
export const memoryPageCost = 16_384;

/**
 * The cost table: fuel for one execution of each operation. Part of the meter version; where the weights come from is
 * told in docs/metering.md and measured by `bench metering`.
 */

/** Operations that emit no code are free: block loop else end nop drop unreachable return. */
export const cost = new Uint16Array(256).fill(1);
for (const op of [0x00, 0x01, 0x02, 0x03, 0x05, 0x0b, 0x0f, 0x1a]) cost[op] = 0;

function weigh(weight: number, ...ops: number[]): void {
  for (const op of ops) cost[op] = weight;
}

weigh(2, 0x0e); // br_table
weigh(5, 0x10, 0x12); // call, return_call
weigh(12, 0x11, 0x13); // call_indirect, return_call_indirect
weigh(4, 0x25); // table.get
weigh(80, 0x26); // table.set
for (let op = 0x28; op <= 0x3e; op++) cost[op] = 2; // loads and stores
weigh(2, 0x3f); // memory.size
weigh(3_000, 0x40); // memory.grow, beside the pages
weigh(2, 0x6c, 0x7e); // integer multiplication
weigh(14, 0x6d, 0x6e, 0x6f, 0x70); // i32 division
weigh(24, 0x7f, 0x80, 0x81, 0x82); // i64 division
for (let op = 0x8b; op <= 0xa6; op++) cost[op] = 2; // float arithmetic
weigh(8, 0x95, 0xa3); // float division
weigh(16, 0x91, 0x9f); // square roots
weigh(4, 0x96, 0x97, 0xa4, 0xa5); // float min and max
for (let op = 0xa8; op <= 0xab; op++) cost[op] = 3; // float to i32
for (let op = 0xae; op <= 0xb1; op++) cost[op] = 3; // float to i64
for (let op = 0xb2; op <= 0xbb; op++) cost[op] = 2; // conversions to and between floats

/** After 0xfc: saturating conversions, then the fixed part of bulk operations. */
export const miscCost = new Uint16Array([4, 4, 4, 4, 4, 4, 4, 4, 40, 20, 40, 40, 80, 20, 80, 400, 2, 80]);

/** After 0xfd. */
export const simdCost = new Uint16Array(256).fill(2);
for (let op = 0; op < 12; op++) simdCost[op] = 3;
for (let op = 84; op < 94; op++) simdCost[op] = 3;
simdCost[227] = 24; // f32x4.sqrt
simdCost[231] = 12; // f32x4.div
simdCost[239] = 24; // f64x2.sqrt
simdCost[243] = 12; // f64x2.div
simdCost[213] = 6; // i64x2.mul

/** Entering a function. */
export const entryCost = 2;
/** Declared locals are cleared on entry: one unit for this many. */
export const localsPerUnit = 2;

/** Bytes that memory.copy, memory.fill and memory.init move for one unit. A power of two. */
export const bulkBytesPerUnit = 8;
/** Fuel for one table entry moved, filled, initialised or grown. */
export const tableEntryCost = 16;
/** Fuel for one page that memory.grow adds: clearing it and the page faults on first touch. */
export const memoryPageCost = 16_384;

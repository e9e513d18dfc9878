import { Imm, Simd, immediates, miscIndices, simdImmediates } from './opcodes.ts';
import type { Reader } from './reader.ts';

/** Steps over what stands behind an opcode; answers the number of a prefixed operation. */
export function skipImmediates(reader: Reader, op: number): number {
  switch (immediates[op]) {
    case Imm.index:
    case Imm.heapType:
    case Imm.memory:
      reader.u32();
      return 0;
    case Imm.memarg:
      memarg(reader);
      return 0;
    case Imm.callIndirect:
      reader.u32();
      reader.u32();
      return 0;
    case Imm.blockType:
    case Imm.i32:
      reader.skipLeb(5);
      return 0;
    case Imm.i64:
      reader.skipLeb(10);
      return 0;
    case Imm.f32:
      reader.skip(4);
      return 0;
    case Imm.f64:
      reader.skip(8);
      return 0;
    case Imm.branchTable: {
      const count = reader.u32();
      for (let index = 0; index <= count; index++) reader.u32();
      return 0;
    }
    case Imm.selectTypes:
      reader.skip(reader.u32());
      return 0;
    case Imm.prefixed:
      break;
    default:
      return 0;
  }
  const sub = reader.u32();
  if (op === 0xfc) for (let index = 0; index < (miscIndices[sub] ?? 0); index++) reader.u32();
  else {
    const kind = simdImmediates[sub];
    if (kind === Simd.memarg || kind === Simd.memargLane) memarg(reader);
    if (kind === Simd.lane || kind === Simd.memargLane) reader.byte();
    if (kind === Simd.bytes16) reader.skip(16);
  }
  return sub;
}

/** An alignment, and an offset that may be written as a 64-bit number. */
function memarg(reader: Reader): void {
  reader.u32();
  reader.skipLeb(10);
}

import { bulkBytesPerUnit, tableEntryCost } from './costs.ts';
import { passArithmetic } from './counted.ts';
import type { CountedLoop } from './counted.ts';
import type { Layout } from './layout.ts';
import { Misc } from './opcodes.ts';
import { Keep } from './plan.ts';
import { Reader } from './reader.ts';
import { Op, emptyBlockType } from './wasm.ts';
import type { Writer } from './writer.ts';

const bulkShift = Math.log2(bulkBytesPerUnit);

/** The sequences that pay, check and hand on fuel, in the form that the function at hand keeps it. */
export class FuelWriter {
  protected readonly out: Writer;
  protected readonly layout: Layout;
  protected readonly source: Uint8Array;
  protected readonly reader: Reader;
  private readonly tableEntriesMax: number;

  protected keep = 0;
  /** Local with the fuel, or -1. */
  protected fuel = -1;
  /** Local with the stack left, or -1. */
  protected stack = -1;
  /** An i32 local of the meter's own. */
  protected temporary = 0;
  /** Bytes of stack that this function counts, or 0. */
  protected stackBytes = 0;
  /** Open blocks of the original code around the place of writing. */
  protected depth = 0;

  constructor(source: Uint8Array, layout: Layout, out: Writer, tableEntriesMax: number) {
    this.source = source;
    this.layout = layout;
    this.out = out;
    this.reader = new Reader(source);
    this.tableEntriesMax = tableEntriesMax;
  }

  protected localGet(index: number): void {
    this.out.byte(Op.localGet);
    this.out.u32(index);
  }

  protected localSet(index: number): void {
    this.out.byte(Op.localSet);
    this.out.u32(index);
  }

  protected localTee(index: number): void {
    this.out.byte(Op.localTee);
    this.out.u32(index);
  }

  protected globalGet(index: number): void {
    this.out.byte(Op.globalGet);
    this.out.u32(index);
  }

  protected globalSet(index: number): void {
    this.out.byte(Op.globalSet);
    this.out.u32(index);
  }

  protected i32Const(value: number): void {
    this.out.byte(Op.i32Const);
    this.out.signed(value);
  }

  protected i64Const(value: number): void {
    this.out.byte(Op.i64Const);
    this.out.signed(value);
  }

  /** Opens a block without parameters. */
  protected openBlock(results: readonly number[]): void {
    this.out.byte(Op.block);
    this.blockType([], results);
  }

  protected blockType(params: readonly number[], results: readonly number[]): void {
    if (params.length > 0 || results.length > 1) this.out.signed(this.layout.typeIndex(params, results));
    else this.out.byte(results[0] ?? emptyBlockType & 0x7f);
  }

  protected fuelGet(): void {
    if (this.fuel >= 0) this.localGet(this.fuel);
    else this.globalGet(this.layout.fuelGlobal);
  }

  protected fuelSet(): void {
    if (this.fuel >= 0) this.localSet(this.fuel);
    else this.globalSet(this.layout.fuelGlobal);
  }

  protected charge(amount: number): void {
    if (amount === 0) return;
    this.fuelGet();
    this.subtract(amount);
    this.fuelSet();
  }

  /** From the i64 on the stack. */
  protected subtract(amount: number): void {
    if (amount === 0) return;
    this.i64Const(amount);
    this.out.byte(Op.i64Sub);
  }

  protected chargeAndCheck(amount: number): void {
    this.fuelGet();
    this.subtract(amount);
    this.setAndCheck();
  }

  /** Keeps the i64 on the stack as the fuel, and stops when it is below zero. */
  protected setAndCheck(): void {
    if (this.fuel >= 0) {
      this.localTee(this.fuel);
      this.branchWhenNegative(this.depth + 1);
    } else {
      this.globalSet(this.layout.fuelGlobal);
      this.globalGet(this.layout.fuelGlobal);
      this.i64Const(0);
      this.out.put(Op.i64LtS, Op.if, Op.empty, Op.unreachable, Op.end);
    }
  }

  /** Before a counted loop: pays `each` for every pass of it, and checks. */
  protected chargePasses({ local, step, bound }: CountedLoop, each: number): void {
    const { out } = this;
    const { zeros, inverse } = passArithmetic(step);
    const boundGet = (): void => ('local' in bound ? this.localGet(bound.local) : this.i32Const(bound.constant));
    this.localGet(this.fuel);
    this.subtract(each);
    // (bound - i) × inverse - 2^zeros, which is (passes - 1) × 2^zeros.
    if (inverse === -1) this.localGet(local);
    boundGet();
    if (inverse !== -1) this.localGet(local);
    out.byte(Op.i32Sub);
    if (inverse !== 1 && inverse !== -1) {
      this.i32Const(inverse);
      out.byte(Op.i32Mul);
    }
    this.i32Const((2 ** zeros) | 0);
    out.byte(Op.i32Sub);
    if (zeros > 0) {
      this.localTee(this.temporary);
      this.i32Const(zeros);
      out.byte(Op.i32ShrU);
    }
    out.byte(Op.i64ExtendI32U);
    this.i64Const(each);
    out.put(Op.i64Mul, Op.i64Sub);
    if (zeros > 0) {
      // Where the low bits are not 0 it would never end: minus what they are makes the fuel negative.
      this.i64Const(0);
      this.localGet(this.temporary);
      this.i32Const((2 ** zeros - 1) | 0);
      out.put(Op.i32And, Op.i64ExtendI32U, Op.i64Sub, Op.i64Or);
    }
    this.setAndCheck();
  }

  protected branchWhenNegative(depth: number): void {
    this.i64Const(0);
    this.out.put(Op.i64LtS, Op.brIf);
    this.out.u32(depth);
  }

  /** Writes the fuel back to the global, where there is a local for it. */
  protected spill(): void {
    if (this.fuel < 0) return;
    this.localGet(this.fuel);
    this.globalSet(this.layout.fuelGlobal);
  }

  protected reload(): void {
    if (this.fuel < 0) return;
    this.globalGet(this.layout.fuelGlobal);
    this.localSet(this.fuel);
  }

  protected takeGlobalStack(): void {
    this.globalGet(this.layout.stackGlobal);
    this.i32Const(this.stackBytes);
    this.out.byte(Op.i32Sub);
    this.globalSet(this.layout.stackGlobal);
    this.globalGet(this.layout.stackGlobal);
    this.i32Const(0);
    this.out.put(Op.i32LtS, Op.if, Op.empty);
    this.spill();
    this.out.put(Op.unreachable, Op.end);
  }

  protected giveGlobalStack(): void {
    if (this.stackBytes === 0 || this.keep === Keep.parameter) return;
    this.globalGet(this.layout.stackGlobal);
    this.i32Const(this.stackBytes);
    this.out.byte(Op.i32Add);
    this.globalSet(this.layout.stackGlobal);
  }

  /** The stack left, for a callee. A tail call gives this function's own frame back first. */
  protected stackGet(tail: boolean): void {
    if (this.stack < 0) {
      this.globalGet(this.layout.stackGlobal);
      return;
    }
    this.localGet(this.stack);
    if (tail && this.stackBytes > 0) {
      this.i32Const(this.stackBytes);
      this.out.byte(Op.i32Add);
    }
  }

  /** Charges a bulk operation by the length on the stack, which stays there. */
  protected chargeLength(operation: number): void {
    const { out } = this;
    const isMemory = operation === Misc.memoryInit || operation === Misc.memoryCopy || operation === Misc.memoryFill;
    this.localTee(this.temporary);
    this.fuelGet();
    this.localGet(this.temporary);
    if (operation === Misc.tableGrow) {
      // More than fits answers -1 and costs no more than what would fit.
      this.i32Const(this.tableEntriesMax);
      this.localGet(this.temporary);
      this.i32Const(this.tableEntriesMax);
      out.put(Op.i32LtU, Op.select);
    }
    out.byte(Op.i64ExtendI32U);
    this.i64Const(isMemory ? bulkShift : tableEntryCost);
    out.put(isMemory ? Op.i64ShrU : Op.i64Mul, Op.i64Sub);
    this.setAndCheck();
  }
}

import { bulkBytesPerUnit, memoryPageCost, Misc, Op, tableEntryCost } from '../metering/parts.ts';
import type { Writer } from '../metering/parts.ts';
import { counterBytes } from './probe-layout.ts';
import type { ProbeLayout } from './probe-layout.ts';

const i32LtU = 0x49;
const f64ConvertI64S = 0xb9;
const i64Load = 0x29;
const i64Store = 0x37;

/** The sequences that pay, count and tell. Fuel is always in its global: speed does not matter here. */
export class ProbeWriter {
  protected readonly out: Writer;
  protected readonly layout: ProbeLayout;
  private readonly tableEntriesMax: number;
  /** Locals of the probes' own: an i32, then an i64. */
  protected temporary = 0;

  constructor(out: Writer, layout: ProbeLayout, tableEntriesMax: number) {
    this.out = out;
    this.layout = layout;
    this.tableEntriesMax = tableEntriesMax;
  }

  protected with(op: number, index: number): void {
    this.out.byte(op);
    this.out.u32(index);
  }

  protected number(op: number, value: number): void {
    this.out.byte(op);
    this.out.signed(value);
  }

  /** Takes the i64 that `amount` pushes from the fuel, and stops where that is too much. */
  private take(amount: () => void): void {
    const { out } = this;
    const { fuelGlobal } = this.layout;
    this.with(Op.globalGet, fuelGlobal);
    amount();
    out.byte(Op.i64Sub);
    this.with(Op.globalSet, fuelGlobal);
    this.with(Op.globalGet, fuelGlobal);
    out.put(Op.i64Const, 0, Op.i64LtS, Op.if, Op.empty, Op.unreachable, Op.end);
  }

  /** Adds the i64 that `amount` pushes to a site's counter: 0 its runs, 1 its fuel beyond the fixed cost. */
  private count(site: number, counter: 0 | 1, amount: () => void): void {
    const { out } = this;
    const place = (op: number): void => {
      // Alignment with the bit that says: a memory's index follows.
      out.put(op, 0x43);
      out.u32(this.layout.memoryIndex);
      out.u32(site * counterBytes + counter * 8);
    };
    out.put(Op.i32Const, 0, Op.i32Const, 0);
    place(i64Load);
    amount();
    out.byte(Op.i64Add);
    place(i64Store);
  }

  /** At the beginning of a stretch. */
  protected pay(site: number, cost: number): void {
    this.take(() => this.number(Op.i64Const, cost));
    this.count(site, 0, () => this.number(Op.i64Const, 1));
  }

  /** Pays what the probes' i64 says. */
  private payTemporary(site: number): void {
    const amount = (): void => this.with(Op.localGet, this.temporary + 1);
    this.count(site, 1, amount);
    this.take(amount);
  }

  /** Pays for a bulk operation by the length on the stack, which stays there. */
  protected payLength(site: number, operation: number): void {
    const { out } = this;
    const isMemory = operation === Misc.memoryInit || operation === Misc.memoryCopy || operation === Misc.memoryFill;
    this.with(Op.localTee, this.temporary);
    this.with(Op.localGet, this.temporary);
    if (operation === Misc.tableGrow) {
      this.number(Op.i32Const, this.tableEntriesMax);
      this.with(Op.localGet, this.temporary);
      this.number(Op.i32Const, this.tableEntriesMax);
      out.put(i32LtU, Op.select);
    }
    out.byte(Op.i64ExtendI32U);
    this.number(Op.i64Const, isMemory ? Math.log2(bulkBytesPerUnit) : tableEntryCost);
    out.byte(isMemory ? Op.i64ShrU : Op.i64Mul);
    this.with(Op.localSet, this.temporary + 1);
    this.payTemporary(site);
  }

  /** In place of memory.grow. */
  protected growMemory(site: number): void {
    const { out } = this;
    this.with(Op.localSet, this.temporary);
    out.put(Op.memorySize, 0, Op.i64ExtendI32U);
    this.with(Op.localGet, this.temporary);
    out.put(Op.i64ExtendI32U, Op.i64Add);
    this.with(Op.globalGet, this.layout.pagesGlobal);
    out.put(Op.i64ExtendI32U, Op.i64GtU, Op.if, 0x7f, Op.i32Const, 0x7f, Op.else);
    this.with(Op.localGet, this.temporary);
    out.byte(Op.i64ExtendI32U);
    this.number(Op.i64Const, memoryPageCost);
    out.byte(Op.i64Mul);
    this.with(Op.localSet, this.temporary + 1);
    this.payTemporary(site);
    this.with(Op.localGet, this.temporary);
    out.put(Op.memoryGrow, 0, Op.end);
  }

  private fuelForHook(): void {
    this.with(Op.globalGet, this.layout.fuelGlobal);
    this.out.byte(f64ConvertI64S);
  }

  protected enter(index: number): void {
    this.number(Op.i32Const, index);
    this.fuelForHook();
    this.with(Op.call, this.layout.enterHook);
  }

  protected leave(): void {
    this.fuelForHook();
    this.with(Op.call, this.layout.leaveHook);
  }

  /** Calls an import, whose own price the host takes from the fuel meanwhile. */
  protected callHost(target: number, site: number): void {
    this.enter(target);
    this.with(Op.globalGet, this.layout.fuelGlobal);
    this.with(Op.localSet, this.temporary + 1);
    this.with(Op.call, target);
    this.count(site, 1, () => {
      this.with(Op.localGet, this.temporary + 1);
      this.with(Op.globalGet, this.layout.fuelGlobal);
      this.out.byte(Op.i64Sub);
    });
    this.leave();
  }

  protected takeStack(bytes: number): void {
    if (bytes === 0) return;
    const { stackGlobal } = this.layout;
    this.with(Op.globalGet, stackGlobal);
    this.number(Op.i32Const, bytes);
    this.out.byte(Op.i32Sub);
    this.with(Op.globalSet, stackGlobal);
    this.with(Op.globalGet, stackGlobal);
    this.out.put(Op.i32Const, 0, Op.i32LtS, Op.if, Op.empty, Op.unreachable, Op.end);
  }

  protected giveStack(bytes: number): void {
    if (bytes === 0) return;
    const { stackGlobal } = this.layout;
    this.with(Op.globalGet, stackGlobal);
    this.number(Op.i32Const, bytes);
    this.out.byte(Op.i32Add);
    this.with(Op.globalSet, stackGlobal);
  }
}

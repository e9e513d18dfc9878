import { CodeCopier } from './copy.ts';
import type { Layout } from './layout.ts';
import type { Module } from './module.ts';
import { Keep } from './plan.ts';
import type { Plan } from './plan.ts';
import { Op } from './wasm.ts';
import type { Writer } from './writer.ts';

/** Writes calls and returns: how fuel and stack get to the callee and back, in the form that each side keeps them. */
export class CallWriter extends CodeCopier {
  protected readonly module: Module;
  protected readonly plan: Plan;
  /** The function's code stands in a block of its own, behind which fuel and stack are handed back. */
  protected hasBody = false;

  constructor(
    module: Module,
    plan: Plan,
    declaredLocals: Int32Array,
    layout: Layout,
    out: Writer,
    tableEntriesMax: number,
  ) {
    super(module.bytes, declaredLocals, layout, out, tableEntriesMax);
    this.module = module;
    this.plan = plan;
  }

  /** A `return` with the results on the stack. */
  protected leave(): void {
    if (!this.hasBody) this.out.byte(Op.return);
    else {
      this.out.byte(Op.br);
      this.out.u32(this.depth);
    }
  }

  private paysItself(target: number): boolean {
    return target >= this.module.imports.length && (this.plan.callerPays[target] as number) < 0;
  }

  protected call(target: number, start: number, after: number): void {
    const imported = target < this.module.imports.length;
    if (!imported && !this.paysItself(target)) this.copyMoving(after);
    else if (!imported && this.keep === Keep.parameter) {
      this.pushFuel(target, false);
      this.copyMoving(after);
      this.localSet(this.fuel);
    } else {
      this.spill();
      if (imported) this.callHost(target, after);
      else this.copyMoving(after);
      this.reload();
    }
  }

  protected refFunc(target: number): void {
    const reference = this.layout.reference(target);
    this.layout.declared.add(reference);
    this.out.byte(Op.refFunc);
    this.out.u32(reference);
  }

  private callHost(target: number, after: number): void {
    this.cursor = after;
    this.out.byte(Op.call);
    this.out.u32(this.layout.hostCall(target));
  }

  private pushFuel(target: number, tail: boolean): void {
    this.localGet(this.fuel);
    if (this.plan.takesStack[target]) this.stackGet(tail);
  }

  protected returnCall(target: number, start: number, after: number): void {
    const imported = target < this.module.imports.length;
    if (this.keep !== Keep.parameter && !imported) {
      this.spill();
      this.giveGlobalStack();
      this.copyMoving(after);
    } else if (!imported && this.paysItself(target)) {
      this.pushFuel(target, true);
      this.copyMoving(after);
    } else {
      // Neither an import nor a function without fuel can answer in this function's form: call it, then leave.
      if (imported) {
        this.spill();
        this.callHost(target, after);
        this.reload();
      } else {
        this.cursor = after;
        this.out.byte(Op.call);
        this.out.u32(target);
      }
      this.leave();
    }
  }

  protected callIndirect(type: number, start: number, after: number): void {
    if (this.keep !== Keep.parameter) {
      this.spill();
      this.copyMoving(after);
      this.reload();
    } else {
      this.indirect(Op.callIndirect, type, start, false);
      this.cursor = after;
      this.localSet(this.fuel);
    }
  }

  protected returnCallIndirect(type: number, start: number, after: number): void {
    if (this.keep !== Keep.parameter) {
      this.spill();
      this.giveGlobalStack();
      this.copyMoving(after);
    } else {
      this.indirect(Op.returnCallIndirect, type, start, true);
      this.cursor = after;
    }
  }

  /** The table index is on the stack, and the fuel has to go below it. */
  private indirect(op: number, type: number, start: number, tail: boolean): void {
    const { out, reader } = this;
    reader.pos = start + 1;
    reader.u32();
    const table = reader.u32();
    this.localSet(this.temporary);
    this.localGet(this.fuel);
    if (this.layout.tableTakesStack(type)) this.stackGet(tail);
    this.localGet(this.temporary);
    out.byte(op);
    out.u32(this.layout.indirectType(type));
    out.u32(table);
  }
}

import { memoryPageCost } from './costs.ts';
import type { AddedFunction, Layout } from './layout.ts';
import { canonicalScalar } from './canonical-writer.ts';
import { isFloat } from './module.ts';
import type { FunctionType, Module } from './module.ts';
import { Keep } from './plan.ts';
import type { Plan } from './plan.ts';
import { Op } from './wasm.ts';
import { Writer } from './writer.ts';

/** Writes the bodies of the functions that the meter adds. */
export class AddedWriter {
  private readonly module: Module;
  private readonly plan: Plan;
  private readonly layout: Layout;

  constructor(module: Module, plan: Plan, layout: Layout) {
    this.module = module;
    this.plan = plan;
    this.layout = layout;
  }

  /** The body with its local declarations, without its size. */
  body(added: AddedFunction): Writer {
    const out = new Writer(64);
    // Floats handed to the host are made canonical: those results go through locals.
    const type = this.module.types[this.module.functions[added.target] ?? -1];
    const locals = added.kind === 'entry' && type?.results.some(isFloat) ? type.results : [];
    out.u32(locals.length);
    for (const local of locals) out.put(1, local);
    if (added.kind === 'grow') this.grow(out);
    else if (added.kind === 'reset') this.reset(out);
    else if (added.kind === 'entry') this.entry(out, added.target);
    else if (added.kind === 'host') this.host(out, added.target);
    else this.reference(out, added);
    out.byte(Op.end);
    return out;
  }

  /** Called by the host in the original form; hands the fuel in and takes it back. */
  private entry(out: Writer, target: number): void {
    const { layout, plan, module } = this;
    const type = module.types[module.functions[target] as number] as FunctionType;
    const inner = plan.keep[target] === Keep.parameter;
    if (plan.keep[target] === Keep.caller) this.payGlobal(out, plan.callerPays[target] as number);
    for (let index = 0; index < type.params.length; index++) get(out, Op.localGet, index);
    if (inner) {
      get(out, Op.globalGet, layout.fuelGlobal);
      if (plan.takesStack[target]) get(out, Op.globalGet, layout.stackGlobal);
    }
    get(out, Op.call, target);
    if (inner) get(out, Op.globalSet, layout.fuelGlobal);
    this.canonicalResults(out, type);
  }

  private canonicalResults(out: Writer, { params, results }: FunctionType): void {
    if (!results.some(isFloat)) return;
    for (let index = results.length - 1; index >= 0; index--) get(out, Op.localSet, params.length + index);
    for (const [index, type] of results.entries()) {
      get(out, Op.localGet, params.length + index);
      if (isFloat(type)) canonicalScalar(out, type, params.length + index);
    }
  }

  /** Calls an import with its float arguments made canonical. */
  private host(out: Writer, target: number): void {
    const { params } = this.module.types[this.module.functions[target] as number] as FunctionType;
    for (const [index, type] of params.entries()) {
      get(out, Op.localGet, index);
      if (isFloat(type)) canonicalScalar(out, type, index);
    }
    get(out, Op.call, target);
  }

  /** Called through a table: in the inner form where fuel is a parameter, in the original one otherwise. */
  private reference(out: Writer, { target }: AddedFunction): void {
    const { layout, plan, module } = this;
    const { length: paramCount } = (module.types[module.functions[target] as number] as FunctionType).params;
    const imported = target < module.imports.length;
    if (!plan.byParameter) this.payGlobal(out, plan.callerPays[target] as number);
    else if (imported) {
      get(out, Op.localGet, paramCount);
      get(out, Op.globalSet, layout.fuelGlobal);
    }
    for (let index = 0; index < paramCount; index++) get(out, Op.localGet, index);
    get(out, Op.call, imported ? layout.hostCall(target) : target);
    if (!plan.byParameter) return;
    if (imported) get(out, Op.globalGet, layout.fuelGlobal);
    else {
      get(out, Op.localGet, paramCount);
      out.byte(Op.i64Const);
      out.signed(plan.callerPays[target] as number);
      out.byte(Op.i64Sub);
    }
  }

  private payGlobal(out: Writer, amount: number): void {
    get(out, Op.globalGet, this.layout.fuelGlobal);
    out.byte(Op.i64Const);
    out.signed(amount);
    out.byte(Op.i64Sub);
    get(out, Op.globalSet, this.layout.fuelGlobal);
  }

  /** memory.grow within the pages allowed, which cost; -1, for nothing more, beyond them. */
  private grow(out: Writer): void {
    const { layout } = this;
    out.put(Op.memorySize, 0, Op.i64ExtendI32U, Op.localGet, 0, Op.i64ExtendI32U, Op.i64Add);
    get(out, Op.globalGet, layout.pagesGlobal);
    out.put(Op.i64ExtendI32U, Op.i64GtU, Op.if, Op.empty, Op.i32Const, 0x7f, Op.return, Op.end);
    get(out, Op.globalGet, layout.fuelGlobal);
    out.put(Op.localGet, 0, Op.i64ExtendI32U, Op.i64Const);
    out.signed(memoryPageCost);
    out.put(Op.i64Mul, Op.i64Sub);
    get(out, Op.globalSet, layout.fuelGlobal);
    get(out, Op.globalGet, layout.fuelGlobal);
    out.put(Op.i64Const, 0, Op.i64LtS, Op.if, Op.empty, Op.unreachable, Op.end);
    out.put(Op.localGet, 0, Op.memoryGrow, 0);
  }

  /** Gives every mutable global of the module its first value again. */
  private reset(out: Writer): void {
    for (const [index, global] of this.module.globals.entries()) {
      if (!global.mutable) continue;
      copyWithReferences(out, this.module.bytes, global.initStart, global.initEnd - 1, global.functions, this.layout);
      get(out, Op.globalSet, index);
    }
  }
}

function get(out: Writer, op: number, index: number): void {
  out.byte(op);
  out.u32(index);
}

/** Copies bytes in which functions are named, naming instead what stands for them in tables and references. */
export function copyWithReferences(
  out: Writer,
  bytes: Uint8Array,
  start: number,
  end: number,
  functions: readonly { index: number; start: number; end: number }[],
  layout: Pick<Layout, 'reference'>,
): void {
  let cursor = start;
  for (const reference of functions) {
    out.copy(bytes, cursor, reference.start);
    out.u32(layout.reference(reference.index));
    cursor = reference.end;
  }
  out.copy(bytes, cursor, end);
}

import { CanonicalWriter } from './canonical-writer.ts';
import { payableInAdvance } from './counted.ts';
import type { CountedLoop } from './counted.ts';
import { Event, markElse, markLoops } from './events.ts';
import type { Events, FunctionFacts } from './events.ts';
import { FuelWriter } from './fuel-writer.ts';
import type { Layout } from './layout.ts';
import type { MeterLimits } from './limits.ts';
import { ValueType } from './module.ts';
import type { Body, FunctionType, Module } from './module.ts';
import type { CanonicalPlace } from './nan.ts';
import { Keep } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Scanner } from './scan.ts';
import { Op, emptyBlockType } from './wasm.ts';
import type { Writer } from './writer.ts';

/**
 * Writes metered bodies. The form of a body whose fuel is in a local or a parameter:
 *
 *     block $spent
 *       (pay what is due at entry)
 *       block $body (results)
 *         ... the original code; its function label is $body, so no branch changes its depth
 *       end
 *       (hand the fuel back)
 *       return
 *     end
 *     (store fuel and stack left in their globals)
 *     unreachable
 */
export class Emitter extends FuelWriter {
  private readonly module: Module;
  private readonly events: Events;
  private readonly plan: Plan;
  private readonly declaredLocals: Int32Array;
  private readonly blockTypes: Int32Array;
  private readonly counted: ReadonlyMap<number, CountedLoop>;

  /** Added parameters: declared locals move up by as many. */
  private shift = 0;
  private paramCount = 0;
  private results: readonly number[] = [];
  private hasBody = false;
  /** Up to here the original has been copied or left out. */
  private cursor = 0;
  private nextLocal = 0;
  private lastLocal = 0;
  private places: readonly CanonicalPlace[] = [];
  private nextPlace = 0;
  private canonical: CanonicalWriter;

  constructor(module: Module, scanner: Scanner, plan: Plan, layout: Layout, out: Writer, limits: MeterLimits) {
    super(module.bytes, layout, out, limits.tableEntriesMax);
    this.module = module;
    this.events = scanner.events;
    this.plan = plan;
    this.declaredLocals = scanner.declaredLocals;
    this.counted = payableInAdvance(scanner.loops.found, scanner.events, plan);
    this.blockTypes = new Int32Array(limits.nestingMax + 2);
    this.canonical = new CanonicalWriter(out);
  }

  /** Writes the body of one function, without its size. */
  body(index: number, body: Body, facts: FunctionFacts, places: readonly CanonicalPlace[]): void {
    const { plan } = this;
    const type = this.module.types[this.module.functions[index] as number] as FunctionType;
    const paramCount = type.params.length;
    const byParameter = plan.keep[index] === Keep.parameter;
    const takesStack = byParameter && plan.takesStack[index] === 1;
    this.keep = plan.keep[index] as number;
    this.results = type.results;
    this.paramCount = paramCount;
    this.stackBytes = plan.stackBytes[index] as number;
    this.shift = byParameter ? (takesStack ? 2 : 1) : 0;
    this.nextLocal = byParameter ? facts.firstLocal : facts.lastLocal;
    this.lastLocal = facts.lastLocal;
    this.cursor = body.code;
    this.depth = 0;

    let nextFree = paramCount + this.shift + body.localsDeclared;
    this.fuel = byParameter ? paramCount : -1;
    this.stack = takesStack ? paramCount + 1 : -1;
    const extra: number[] = [];
    if (this.keep === Keep.local) {
      this.fuel = nextFree++;
      extra.push(ValueType.i64);
    }
    this.temporary = nextFree;
    if (facts.hasTemporary) {
      extra.push(ValueType.i32);
      nextFree++;
    }
    this.places = places;
    this.nextPlace = 0;
    extra.push(...this.canonical.locals(places, nextFree));
    this.locals(body, extra);
    if (this.hasTailCall(facts)) this.stayStoppable();

    this.hasBody = this.fuel >= 0 || this.stackBytes > 0;
    if (this.keep !== Keep.caller) {
      const due = plan.entryDue[index] as number;
      const check = plan.checkEntry[index] === 1;
      if (this.fuel < 0) this.globalBody(facts, due, check);
      else this.localBody(facts, due, check);
    } else this.code(facts);
    this.out.byte(Op.end);
  }

  private hasTailCall({ first, last }: FunctionFacts): boolean {
    const { kind } = this.events;
    for (let e = first; e < last; e++) {
      if (kind[e] === Event.returnCall || kind[e] === Event.returnCallIndirect) return true;
    }
    return false;
  }

  /**
   * V8 leaves the check for termination out of functions that call nothing but tail calls, and then nobody can stop a
   * cycle of them from outside: `worker.terminate()` waits until its fuel is burnt. A call into the runtime, though never
   * taken, keeps the check. The global is below zero only when the run is over, so this does nothing in any engine.
   */
  private stayStoppable(): void {
    if (this.module.memory === undefined) return;
    this.globalGet(this.layout.fuelGlobal);
    this.i64Const(0);
    this.out.put(Op.i64LtS, Op.if, Op.empty, Op.i32Const, 0, Op.memoryGrow, 0, Op.drop, Op.end);
  }

  private locals(body: Body, extra: readonly number[]): void {
    const { out, reader } = this;
    reader.pos = body.start;
    const groups = reader.u32();
    out.u32(groups + extra.length);
    out.copy(this.source, reader.pos, body.code);
    for (const type of extra) out.put(1, type);
  }

  private globalBody(facts: FunctionFacts, due: number, check: boolean): void {
    if (check) this.chargeAndCheck(due);
    else this.charge(due);
    if (this.stackBytes === 0) {
      this.code(facts);
      return;
    }
    this.takeGlobalStack();
    this.openBlock(this.results);
    this.code(facts);
    this.out.byte(Op.end);
    this.giveGlobalStack();
  }

  private localBody(facts: FunctionFacts, due: number, check: boolean): void {
    const { out } = this;
    const counts = this.stackBytes > 0;
    const byParameter = this.keep === Keep.parameter;
    out.put(Op.block, Op.empty);
    if (byParameter) this.localGet(this.fuel);
    else this.globalGet(this.layout.fuelGlobal);
    this.subtract(due);
    if (byParameter && counts) {
      // One test for both: the sign of the two or-ed together is set when either is below zero.
      this.localTee(this.fuel);
      this.localGet(this.stack);
      this.i32Const(this.stackBytes);
      out.byte(Op.i32Sub);
      this.localTee(this.stack);
      out.put(Op.i64ExtendI32S, Op.i64Or);
      this.branchWhenNegative(0);
    } else if (check) {
      this.localTee(this.fuel);
      this.branchWhenNegative(0);
    } else this.localSet(this.fuel);
    if (counts && !byParameter) this.takeGlobalStack();

    this.openBlock(this.results);
    this.code(facts);
    out.byte(Op.end);
    if (byParameter) this.localGet(this.fuel);
    else {
      this.giveGlobalStack();
      this.spill();
    }
    out.put(Op.return, Op.end);
    this.spill();
    if (byParameter && counts) {
      this.localGet(this.stack);
      this.globalSet(this.layout.stackGlobal);
    }
    out.byte(Op.unreachable);
  }

  /** The original code up to, not including, its last `end`. */
  private code(facts: FunctionFacts): void {
    const { out, events } = this;
    const { kind, mark, at, next, arg } = events;
    const { pay, edge } = this.plan.charges;
    const last = facts.last - 1;
    for (let e = facts.first; e < last; e++) {
      const start = at[e] as number;
      const after = next[e] as number;
      this.copyTo(start);
      switch (kind[e]) {
        case Event.block:
        case Event.loop:
        case Event.if: {
          const counted = this.counted.get(e);
          if (counted !== undefined) this.chargePasses(this.moved(counted), pay[e] as number);
          this.copyMoving(after);
          this.reader.pos = start + 1;
          this.blockTypes[++this.depth] = this.reader.s33();
          if (kind[e] === Event.if) this.charge(pay[e] as number);
          else if ((mark[e] as number) & markLoops && counted === undefined) this.chargeAndCheck(pay[e] as number);
          break;
        }
        case Event.else:
          this.copyMoving(after);
          this.charge(edge[arg[e] as number] as number);
          break;
        case Event.end: {
          const opener = arg[e] as number;
          if (kind[opener] === Event.if && !((mark[opener] as number) & markElse) && edge[opener] !== 0) {
            out.byte(Op.else);
            this.charge(edge[opener] as number);
          }
          this.copyMoving(after);
          this.depth--;
          this.charge(pay[e] as number);
          break;
        }
        case Event.brIf:
          if (edge[e] === 0) this.copyMoving(after);
          else {
            this.cursor = after;
            this.payingBranch(arg[e] as number, edge[e] as number);
          }
          this.charge(pay[e] as number);
          break;
        case Event.br:
        case Event.brTable:
          this.copyMoving(after);
          this.skipTo(at[e + 1] as number);
          break;
        case Event.return:
          this.leave();
          this.skipTo(at[e + 1] as number);
          break;
        case Event.unreachable:
          this.spill();
          out.byte(Op.unreachable);
          this.skipTo(at[e + 1] as number);
          break;
        case Event.call:
          this.call(arg[e] as number, start, after);
          break;
        case Event.callIndirect:
          this.callIndirect(arg[e] as number, start, after);
          break;
        case Event.returnCall:
          this.returnCall(arg[e] as number, start, after);
          this.skipTo(at[e + 1] as number);
          break;
        case Event.returnCallIndirect:
          this.returnCallIndirect(arg[e] as number, start, after);
          this.skipTo(at[e + 1] as number);
          break;
        case Event.memoryGrow:
          this.cursor = after;
          this.spill();
          out.byte(Op.call);
          out.u32(this.layout.memoryGrow());
          this.reload();
          break;
        case Event.bulk:
          this.chargeLength(arg[e] as number);
          this.copyMoving(after);
          break;
        case Event.refFunc:
          this.cursor = after;
          this.refFunc(arg[e] as number);
          break;
      }
    }
    this.copyTo(at[last] as number);
  }

  /** Copies the original up to `end`, making NaNs canonical where they show. */
  private copyTo(end: number): void {
    const { places } = this;
    for (; this.nextPlace < places.length; this.nextPlace++) {
      const place = places[this.nextPlace] as CanonicalPlace;
      if (place.at > end) break;
      this.copyMoving(place.at);
      this.canonical.write(place.kind);
    }
    this.copyMoving(end);
  }

  /**
   * Copies the original up to `end`, moving the declared locals that it names behind the added parameters. Used for an
   * event's own operation: what has to be made canonical right behind it waits for what the meter adds to it.
   */
  private copyMoving(end: number): void {
    const { out, source, declaredLocals } = this;
    while (this.nextLocal < this.lastLocal) {
      const place = declaredLocals[this.nextLocal] as number;
      if (place >= end) break;
      this.nextLocal++;
      out.copy(source, this.cursor, place + 1);
      this.reader.pos = place + 1;
      out.u32(this.reader.u32() + this.shift);
      this.cursor = this.reader.pos;
    }
    out.copy(source, this.cursor, end);
    this.cursor = end;
  }

  /** The loop with its locals where they are in the metered function. */
  private moved(loop: CountedLoop): CountedLoop {
    const move = (local: number): number => (local < this.paramCount ? local : local + this.shift);
    const bound = 'local' in loop.bound ? { local: move(loop.bound.local) } : loop.bound;
    return { ...loop, local: move(loop.local), bound };
  }

  /** Leaves out code that can never run. */
  private skipTo(start: number): void {
    while (this.nextLocal < this.lastLocal && (this.declaredLocals[this.nextLocal] as number) < start) this.nextLocal++;
    this.cursor = start;
  }

  /** A `return` with the results on the stack. */
  private leave(): void {
    if (!this.hasBody) this.out.byte(Op.return);
    else {
      this.out.byte(Op.br);
      this.out.u32(this.depth);
    }
  }

  /** A `br_if` that pays when it is taken. What it carries passes through the `if` untouched. */
  private payingBranch(depth: number, amount: number): void {
    const { out } = this;
    const carried = this.labelTypes(this.depth - depth);
    out.byte(Op.if);
    this.blockType(carried, carried);
    this.charge(amount);
    out.byte(Op.br);
    out.u32(depth + 1);
    out.byte(Op.end);
  }

  private labelTypes(level: number): readonly number[] {
    if (level === 0) return this.results;
    const blockType = this.blockTypes[level] as number;
    if (blockType >= 0) return this.module.types[blockType]?.results ?? [];
    return blockType === emptyBlockType ? [] : [blockType & 0x7f];
  }

  private paysItself(target: number): boolean {
    return target >= this.module.imports.length && (this.plan.callerPays[target] as number) < 0;
  }

  private call(target: number, start: number, after: number): void {
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

  private refFunc(target: number): void {
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

  private returnCall(target: number, start: number, after: number): void {
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

  private callIndirect(type: number, start: number, after: number): void {
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

  private returnCallIndirect(type: number, start: number, after: number): void {
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

import { CallWriter } from './calls.ts';
import { payableInAdvance } from './counted.ts';
import type { CountedLoop } from './counted.ts';
import { Event, markElse, markLoops } from './events.ts';
import type { Events, FunctionFacts } from './events.ts';
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
export class Emitter extends CallWriter {
  private readonly events: Events;
  private readonly blockTypes: Int32Array;
  private readonly counted: ReadonlyMap<number, CountedLoop>;
  private results: readonly number[] = [];

  constructor(module: Module, scanner: Scanner, plan: Plan, layout: Layout, out: Writer, limits: MeterLimits) {
    super(module, plan, scanner.declaredLocals, layout, out, limits.tableEntriesMax);
    this.events = scanner.events;
    this.counted = payableInAdvance(scanner.loops.found, scanner.events, plan);
    this.blockTypes = new Int32Array(limits.nestingMax + 2);
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
}

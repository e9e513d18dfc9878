import { LoopWatch } from './counted.ts';
import { cost, miscCost, simdCost } from './costs.ts';
import { featureRefused, invalidModule, moduleLimit } from './errors.ts';
import { Event, Events, markAnchor, markDead, markElse, markLoops } from './events.ts';
import type { FunctionFacts } from './events.ts';
import type { MeterLimits } from './limits.ts';
import type { Body, Module } from './module.ts';
import {
  Imm,
  Misc,
  Simd,
  floatUse,
  heightChange,
  immediates,
  keepsValue,
  miscHeightChange,
  miscIndices,
  refusedFeature,
  simdHeightChange,
  simdImmediates,
} from './opcodes.ts';
import { Reader } from './reader.ts';
import { emptyBlockType } from './wasm.ts';

const seenSignExtension = 1;
const seenSaturating = 2;
const seenBulk = 4;
const seenReferences = 8;
const seenTailCalls = 16;
const seenSimd = 32;
const seenMultiValue = 64;
const featureOfBit: readonly [number, string][] = [
  [seenSignExtension, 'sign-extension'],
  [seenSaturating, 'saturating-float-to-int'],
  [seenBulk, 'bulk-memory'],
  [seenReferences, 'reference-types'],
  [seenTailCalls, 'tail-call'],
  [seenSimd, 'simd'],
  [seenMultiValue, 'multi-value'],
];

/**
 * Goes once through the code of every function and writes its events. It survives anything (each read is bounded), but
 * only of a validated module are the events meaningful.
 */
export class Scanner {
  readonly events: Events;
  /** Where code names a declared local, as opposed to a parameter: what an added parameter would shift. */
  declaredLocals = new Int32Array(1024);
  declaredLocalsLength = 0;
  /** Live code that leaves traces in tables, or in what is left of passive segments. */
  changesTables = false;
  dropsSegments = false;
  private readonly module: Module;
  private readonly limits: MeterLimits;
  private readonly reader: Reader;
  private seen = 0;
  /** Open blocks of the function at hand: opening event, height of the stack below it, block type. */
  private readonly openers: Int32Array;
  private readonly bases: Int32Array;
  private readonly blockTypes: Int32Array;
  private depth = 0;

  readonly loops: LoopWatch;
  private readonly recordLocals: boolean;

  constructor(module: Module, limits: MeterLimits, recordLocals: boolean) {
    this.module = module;
    this.recordLocals = recordLocals;
    this.limits = limits;
    this.reader = new Reader(module.bytes);
    this.loops = new LoopWatch(module.bytes, limits.localsPerFunctionMax + limits.arityMax);
    this.events = new Events(Math.max(64, module.bytes.length >>> 3));
    this.openers = new Int32Array(limits.nestingMax + 2);
    this.bases = new Int32Array(limits.nestingMax + 2);
    this.blockTypes = new Int32Array(limits.nestingMax + 2);
  }

  /** Adds the features met in code to the module's. */
  finish(): void {
    for (const [bit, name] of featureOfBit) if (this.seen & bit) this.module.features.add(name);
  }

  scan(body: Body, typeIndex: number): FunctionFacts {
    const { module, reader, events, limits, loops } = this;
    const bytes = module.bytes;
    const end = body.end;
    const first = events.length;
    let pos = body.code;
    let height = 0;
    let heightMax = 0;
    let plain = 0;
    let hasLoop = false;
    let dead = false;
    let deadDepth = 0;
    let hasTemporary = false;
    let floats = 0;
    let values = 0;
    const firstLocal = this.declaredLocalsLength;
    const type = module.types[typeIndex];
    const paramCount = this.recordLocals ? (type?.params.length ?? 0) : Infinity;

    this.depth = 0;
    this.openers[0] = -1;
    this.bases[0] = 0;

    while (pos < end) {
      const at = pos;
      const op = bytes[pos++] as number;
      let arg = 0;
      // First the immediates: after the switch `pos` stands at the next operation.
      switch (immediates[op]) {
        case Imm.none:
          break;
        case Imm.index:
          arg = bytes[pos++] as number;
          if (arg >= 0x80) {
            reader.pos = pos - 1;
            arg = reader.u32();
            pos = reader.pos;
          }
          break;
        case Imm.memarg:
          if ((bytes[pos++] as number) >= 0x40) {
            reader.pos = pos - 1;
            if (reader.u32() >= 0x40) throw featureRefused('several memories', at);
            pos = reader.pos;
          }
          while ((bytes[pos++] as number) >= 0x80);
          break;
        case Imm.i32:
        case Imm.i64:
          while ((bytes[pos++] as number) >= 0x80);
          break;
        case Imm.f32:
          pos += 4;
          break;
        case Imm.f64:
          pos += 8;
          break;
        case Imm.blockType:
          reader.pos = pos;
          arg = reader.s33();
          pos = reader.pos;
          if (arg >= 0) {
            if (arg >= module.types.length) throw invalidModule(`there is no type ${arg}`, at);
            this.seen |= seenMultiValue;
          } else if (arg !== emptyBlockType) this.checkValueType(arg & 0x7f, at);
          break;
        case Imm.callIndirect:
          reader.pos = pos;
          arg = reader.u32();
          if (reader.u32() !== 0) this.seen |= seenReferences;
          pos = reader.pos;
          break;
        case Imm.branchTable: {
          reader.pos = pos;
          arg = reader.u32();
          if (arg > limits.branchTargetsMax) {
            throw moduleLimit('branchTargetsMax', arg, limits.branchTargetsMax, at);
          }
          for (let count = 0; count <= arg; count++) reader.u32();
          pos = reader.pos;
          break;
        }
        case Imm.selectTypes:
          reader.pos = pos;
          arg = reader.u32();
          if (arg !== 1) throw invalidModule('select with more than one type', at);
          this.checkValueType(reader.byte(), at);
          pos = reader.pos;
          this.seen |= seenReferences;
          break;
        case Imm.heapType:
          this.checkValueType(bytes[pos++] as number, at);
          this.seen |= seenReferences;
          break;
        case Imm.memory:
          if (bytes[pos++] !== 0) throw featureRefused('several memories', at);
          break;
        case Imm.prefixed:
          reader.pos = pos;
          arg = op === 0xfd ? this.simd(at) : this.misc(at);
          pos = reader.pos;
          break;
        default:
          throw featureRefused(refusedFeature(op), at);
      }
      if (dead) {
        if (op >= 0x02 && op <= 0x04) {
          if (++deadDepth + this.depth > limits.nestingMax) this.tooDeep(at);
          continue;
        }
        if (op === 0x0b && deadDepth > 0) {
          deadDepth--;
          continue;
        }
        if (deadDepth > 0 || (op !== 0x05 && op !== 0x0b)) continue;
      }
      floats |= op === 0xfd ? 3 : (floatUse[op] as number);
      values += op < 0xfc ? (keepsValue[op] as number) : op === 0xfd || arg < Misc.memoryInit ? 1 : 0;
      plain += op < 0xfc ? (cost[op] as number) : op === 0xfd ? (simdCost[arg] as number) : (miscCost[arg] as number);

      loops.operation(at);
      // Then the events.
      switch (op) {
        case 0x02: // block
        case 0x03: // loop
        case 0x04: {
          if (op === 0x04) height--;
          if (++this.depth > limits.nestingMax) this.tooDeep(at);
          this.openers[this.depth] = events.push(op - 1, at, pos, arg, plain);
          this.bases[this.depth] = height - this.paramCount(arg);
          this.blockTypes[this.depth] = arg;
          plain = 0;
          if (op === 0x03) loops.open(events.length - 1, this.depth, at);
          break;
        }
        case 0x05: // else
        case 0x0b: {
          const opener = this.openers[this.depth] as number;
          const index = events.push(op === 0x05 ? Event.else : Event.end, at, pos, opener, plain);
          events.mark[index] = dead ? markDead : 0;
          plain = 0;
          dead = false;
          if (op === 0x05) {
            if (this.depth === 0) throw invalidModule('an else without an if', at);
            events.mark[opener] = (events.mark[opener] as number) | markElse;
            height = (this.bases[this.depth] as number) + this.paramCount(this.blockTypes[this.depth] as number);
          } else if (this.depth === 0) {
            if (pos !== end) throw invalidModule('code after the end of a function', pos);
          } else {
            loops.close(this.depth);
            height = (this.bases[this.depth] as number) + this.resultCount(this.blockTypes[this.depth] as number);
            this.depth--;
          }
          break;
        }
        case 0x0c: // br
        case 0x0d: {
          if (arg > this.depth) throw invalidModule(`a branch to level ${arg} of ${this.depth}`, at);
          if (op === 0x0d && arg === 0 && bytes[pos] === 0x0b) {
            const step = loops.closes(events.length, this.depth);
            // Whether an even step ever meets its bound is tested with an operand set aside.
            if (step % 2 === 0 && step !== 0) hasTemporary = true;
          }
          hasLoop = this.branch(arg) || hasLoop;
          events.push(op === 0x0c ? Event.br : Event.brIf, at, pos, arg, plain);
          plain = 0;
          height--;
          dead = op === 0x0c;
          break;
        }
        case 0x0e: // br_table
          hasLoop = this.branchTable(at) || hasLoop;
          events.push(Event.brTable, at, pos, arg, plain);
          plain = 0;
          dead = true;
          break;
        case 0x0f:
        case 0x00:
          if (op === 0x0f) loops.spoil();
          events.push(op === 0x0f ? Event.return : Event.unreachable, at, pos, 0, plain);
          plain = 0;
          dead = true;
          break;
        case 0x10: // call
        case 0x12: {
          const type = module.types[module.functions[arg] ?? -1];
          if (type === undefined) throw invalidModule(`there is no function ${arg}`, at);
          events.push(op === 0x10 ? Event.call : Event.returnCall, at, pos, arg, plain);
          height += type.results.length - type.params.length;
          plain = 0;
          if (op === 0x12) {
            loops.spoil();
            dead = true;
            this.seen |= seenTailCalls;
          }
          break;
        }
        case 0x11: // call_indirect
        case 0x13: {
          const type = module.types[arg];
          if (type === undefined) throw invalidModule(`there is no type ${arg}`, at);
          events.push(op === 0x11 ? Event.callIndirect : Event.returnCallIndirect, at, pos, arg, plain);
          loops.spoil();
          hasTemporary ||= this.recordLocals;
          height += type.results.length - type.params.length - 1;
          plain = 0;
          if (op === 0x13) {
            dead = true;
            this.seen |= seenTailCalls;
          }
          break;
        }
        case 0x40:
          loops.spoil();
          events.push(Event.memoryGrow, at, pos, 0, plain);
          plain = 0;
          break;
        case 0xd2:
          if (arg >= module.functions.length) throw invalidModule(`there is no function ${arg}`, at);
          events.push(Event.refFunc, at, pos, arg, plain);
          this.seen |= seenReferences;
          height++;
          plain = 0;
          break;
        case 0xfc:
          height += miscHeightChange[arg] as number;
          if (arg >= Misc.tableInit && arg !== Misc.elemDrop && arg !== Misc.tableSize) this.changesTables = true;
          if (arg === Misc.dataDrop || arg === Misc.elemDrop) this.dropsSegments = true;
          if (arg >= Misc.memoryInit && arg !== Misc.dataDrop && arg !== Misc.elemDrop && arg !== Misc.tableSize) {
            loops.spoil();
            events.push(Event.bulk, at, pos, arg, plain);
            hasTemporary = true;
            plain = 0;
          }
          break;
        case 0xfd:
          height += simdHeightChange[arg] as number;
          break;
        case 0x20:
        case 0x21:
        case 0x22:
          height += heightChange[op] as number;
          if (op !== 0x20) loops.write(arg, at);
          if (arg >= paramCount) this.recordLocal(at);
          break;
        default:
          height += heightChange[op] as number;
          if (op === 0x26) this.changesTables = true;
          if (op >= 0xc0 && op <= 0xc4) this.seen |= seenSignExtension;
          else if (op === 0x25 || op === 0x26 || op === 0xd1) this.seen |= seenReferences;
      }
      if (height > heightMax) {
        heightMax = height;
        if (height > limits.operandsMax) throw moduleLimit('operandsMax', height, limits.operandsMax, at);
      }
    }
    if (pos !== end || this.depth !== 0 || events.kind[events.length - 1] !== Event.end) {
      throw invalidModule('a function body without its end', body.start);
    }
    const results = type?.results.length ?? 0;
    return {
      first,
      last: events.length,
      firstLocal,
      lastLocal: this.declaredLocalsLength,
      operandsMax: Math.max(heightMax, results),
      hasLoop,
      hasTemporary,
      values,
      computesFloats: (floats & 1) !== 0,
      showsFloats: (floats & 2) !== 0,
    };
  }

  private recordLocal(at: number): void {
    if (this.declaredLocalsLength === this.declaredLocals.length) {
      const wider = new Int32Array(this.declaredLocals.length * 2);
      wider.set(this.declaredLocals);
      this.declaredLocals = wider;
    }
    this.declaredLocals[this.declaredLocalsLength++] = at;
  }

  private tooDeep(at: number): never {
    throw moduleLimit('nestingMax', this.limits.nestingMax + 1, this.limits.nestingMax, at);
  }

  private checkValueType(type: number, at: number): void {
    if (type === 0x7b) this.seen |= seenSimd;
    else if (type === 0x70 || type === 0x6f) this.seen |= seenReferences;
    else if (type < 0x7c || type > 0x7f) throw featureRefused(`the type 0x${type.toString(16)}`, at);
  }

  private paramCount(blockType: number): number {
    return blockType < 0 ? 0 : (this.module.types[blockType]?.params.length ?? 0);
  }

  private resultCount(blockType: number): number {
    if (blockType >= 0) return this.module.types[blockType]?.results.length ?? 0;
    return blockType === emptyBlockType ? 0 : 1;
  }

  /** Notes a live branch to the label `depth` levels out. True when it goes back to a loop. */
  private branch(depth: number): boolean {
    this.loops.branch(this.depth - depth);
    const opener = this.openers[this.depth - depth] as number;
    if (opener < 0 || this.events.kind[opener] !== Event.loop) return false;
    this.events.mark[opener] = (this.events.mark[opener] as number) | markLoops;
    return true;
  }

  private branchTable(at: number): boolean {
    const reader = this.reader;
    reader.pos = at + 1;
    const count = reader.u32();
    const start = reader.pos;
    const firstTarget = reader.u32();
    let several = false;
    for (let index = 0; index < count; index++) if (reader.u32() !== firstTarget) several = true;
    reader.pos = start;
    let loops = false;
    for (let index = 0; index <= count; index++) {
      const depth = reader.u32();
      if (depth > this.depth) throw invalidModule(`a branch to level ${depth} of ${this.depth}`, at);
      if (this.branch(depth)) loops = true;
      const opener = this.openers[this.depth - depth] as number;
      if (several && opener >= 0) this.events.mark[opener] = (this.events.mark[opener] as number) | markAnchor;
    }
    return loops;
  }

  /** Steps over an operation after 0xfd and answers its number. */
  private simd(at: number): number {
    const reader = this.reader;
    const op = reader.u32();
    if (op > 0xff) throw featureRefused(op < 0x114 ? 'relaxed SIMD' : `the unknown opcode 0xfd ${op}`, at);
    this.seen |= seenSimd;
    const kind = simdImmediates[op] as number;
    if (kind === Simd.memarg || kind === Simd.memargLane) {
      if (reader.u32() >= 0x40) throw featureRefused('several memories', at);
      reader.skipLeb(10);
      if (kind === Simd.memargLane) reader.byte();
    } else if (kind === Simd.lane) reader.byte();
    else if (kind === Simd.bytes16) reader.skip(16);
    return op;
  }

  /** Steps over an operation after 0xfc and answers its number. */
  private misc(at: number): number {
    const reader = this.reader;
    const op = reader.u32();
    if (op >= miscIndices.length) throw featureRefused(`the unknown opcode 0xfc ${op}`, at);
    this.seen |= op < Misc.memoryInit ? seenSaturating : op >= Misc.tableGrow ? seenReferences : seenBulk;
    for (let index = 0; index < (miscIndices[op] as number); index++) reader.u32();
    return op;
  }
}

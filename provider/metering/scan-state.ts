import { LoopWatch } from './counted.ts';
import { featureRefused, invalidModule, moduleLimit } from './errors.ts';
import { Event, Events, markAnchor, markLoops } from './events.ts';
import type { MeterLimits } from './limits.ts';
import type { Module } from './module.ts';
import { Misc, Simd, miscIndices, simdImmediates } from './opcodes.ts';
import { Reader } from './reader.ts';
import { emptyBlockType } from './wasm.ts';

export const seenSignExtension = 1;
export const seenSaturating = 2;
export const seenBulk = 4;
export const seenReferences = 8;
export const seenTailCalls = 16;
export const seenSimd = 32;
export const seenMultiValue = 64;
const featureOfBit: readonly [number, string][] = [
  [seenSignExtension, 'sign-extension'],
  [seenSaturating, 'saturating-float-to-int'],
  [seenBulk, 'bulk-memory'],
  [seenReferences, 'reference-types'],
  [seenTailCalls, 'tail-call'],
  [seenSimd, 'simd'],
  [seenMultiValue, 'multi-value'],
];

/** What the scan of a module carries from function to function, and how it steps over what is rarer. */
export class ScanState {
  readonly events: Events;
  /** Where code names a declared local, as opposed to a parameter: what an added parameter would shift. */
  declaredLocals = new Int32Array(1024);
  declaredLocalsLength = 0;
  /** Live code that leaves traces in tables, or in what is left of passive segments. */
  changesTables = false;
  dropsSegments = false;
  protected readonly module: Module;
  protected readonly limits: MeterLimits;
  protected readonly reader: Reader;
  protected seen = 0;
  /** Open blocks of the function at hand: opening event, height of the stack below it, block type. */
  protected readonly openers: Int32Array;
  protected readonly bases: Int32Array;
  protected readonly blockTypes: Int32Array;
  protected depth = 0;

  readonly loops: LoopWatch;
  protected readonly recordLocals: boolean;

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

  protected recordLocal(at: number): void {
    if (this.declaredLocalsLength === this.declaredLocals.length) {
      const wider = new Int32Array(this.declaredLocals.length * 2);
      wider.set(this.declaredLocals);
      this.declaredLocals = wider;
    }
    this.declaredLocals[this.declaredLocalsLength++] = at;
  }

  protected tooDeep(at: number): never {
    throw moduleLimit('nestingMax', this.limits.nestingMax + 1, this.limits.nestingMax, at);
  }

  protected checkValueType(type: number, at: number): void {
    if (type === 0x7b) this.seen |= seenSimd;
    else if (type === 0x70 || type === 0x6f) this.seen |= seenReferences;
    else if (type < 0x7c || type > 0x7f) throw featureRefused(`the type 0x${type.toString(16)}`, at);
  }

  protected paramCount(blockType: number): number {
    return blockType < 0 ? 0 : (this.module.types[blockType]?.params.length ?? 0);
  }

  protected resultCount(blockType: number): number {
    if (blockType >= 0) return this.module.types[blockType]?.results.length ?? 0;
    return blockType === emptyBlockType ? 0 : 1;
  }

  /** Notes a live branch to the label `depth` levels out. True when it goes back to a loop. */
  protected branch(depth: number): boolean {
    this.loops.branch(this.depth - depth, this.events.length);
    const opener = this.openers[this.depth - depth] as number;
    if (opener < 0 || this.events.kind[opener] !== Event.loop) return false;
    this.events.mark[opener] = (this.events.mark[opener] as number) | markLoops;
    return true;
  }

  protected branchTable(at: number): boolean {
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
  protected simd(at: number): number {
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
  protected misc(at: number): number {
    const reader = this.reader;
    const op = reader.u32();
    if (op >= miscIndices.length) throw featureRefused(`the unknown opcode 0xfc ${op}`, at);
    this.seen |= op < Misc.memoryInit ? seenSaturating : op >= Misc.tableGrow ? seenReferences : seenBulk;
    for (let index = 0; index < (miscIndices[op] as number); index++) reader.u32();
    return op;
  }
}

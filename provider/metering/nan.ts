import { Event } from './events.ts';
import type { Events, FunctionFacts } from './events.ts';
import type { FunctionType, Module } from './module.ts';
import {
  Imm,
  floatUse,
  heightChange,
  immediates,
  miscHeightChange,
  simdHeightChange,
  simdImmediates,
} from './opcodes.ts';
import { Simd } from './opcodes.ts';
import { Reader } from './reader.ts';
import { emptyBlockType } from './wasm.ts';

/** What to make canonical: the operand on top of the stack, or the two of a `copysign`. */
export const Canonical = { f32: 0, f64: 1, f32x4: 2, f64x2: 3, f32Both: 4, f64Both: 5 } as const;

/** Where NaNs are made canonical: before the byte `at`, the operand on top of the stack. Sorted by `at`. */
export interface CanonicalPlace {
  at: number;
  kind: number;
}

const clean = 0;
const computed = 1;
// From here on vectors: the flag is `vector + place`, the place where the vector's NaNs would be made canonical.
const vector = 2;

/** Float vector operations by what they compute: lanes of f32 or f64. `opaque` ones read floats without showing bits. */
const simdComputes = new Int8Array(256).fill(-1);
const simdReads = new Int8Array(256).fill(-1);
const simdKeeps = new Int8Array(256).fill(-1);
for (const op of [94, 103, 104, 105, 106, 227, 228, 229, 230, 231, 232, 233]) simdComputes[op] = Canonical.f32x4;
for (const op of [95, 116, 117, 122, 148, 239, 240, 241, 242, 243, 244, 245]) simdComputes[op] = Canonical.f64x2;
for (let op = 65; op <= 70; op++) simdReads[op] = Canonical.f32x4; // comparisons
for (let op = 71; op <= 76; op++) simdReads[op] = Canonical.f64x2;
for (const op of [103, 104, 105, 106, 224, 225, 227, 228, 229, 230, 231, 232, 233, 95, 248, 249]) {
  simdReads[op] = Canonical.f32x4;
}
for (const op of [116, 117, 122, 148, 236, 237, 239, 240, 241, 242, 243, 244, 245, 94, 252, 253]) {
  simdReads[op] = Canonical.f64x2;
}
for (const op of [224, 225]) simdKeeps[op] = Canonical.f32x4; // abs, neg
for (const op of [236, 237]) simdKeeps[op] = Canonical.f64x2;

/** Operations that leave nothing on the stack, or leave the flag of what they change. */
const leavesFlag = new Uint8Array(256);
for (const op of [0x01, 0x1a, 0x21, 0x22, 0x24, 0x26, 0x8b, 0x8c, 0x99, 0x9a]) leavesFlag[op] = 1;
leavesFlag.fill(1, 0x36, 0x3f); // stores

/**
 * A NaN that comes out of arithmetic may have any sign and payload: two tiers of one engine differ. So wherever such
 * bits can be seen, the meter makes them the canonical NaN. It follows which operands come from arithmetic. Scalars are
 * made canonical as late as their bits are shown; vectors, whose lanes have no type, as soon as anything but float
 * arithmetic on the same lanes takes them. Floats from loads, constants and globals are as canonical as they were.
 */
export class NanFinder {
  private readonly module: Module;
  private readonly events: Events;
  private readonly reader: Reader;
  private readonly flags: Float64Array;
  private readonly bases: Int32Array;
  private readonly blockTypes: Int32Array;
  private places: CanonicalPlace[] = [];
  private height = 0;
  private pending = false;

  constructor(module: Module, events: Events, limits: { operandsMax: number; nestingMax: number; arityMax: number }) {
    this.module = module;
    this.events = events;
    this.reader = new Reader(module.bytes);
    this.flags = new Float64Array(limits.operandsMax + limits.arityMax + 8);
    this.bases = new Int32Array(limits.nestingMax + 2);
    this.blockTypes = new Int32Array(limits.nestingMax + 2);
  }

  find(bodyCode: number, facts: FunctionFacts): CanonicalPlace[] {
    const { kind, at, next, arg } = this.events;
    const { bases, blockTypes, reader, module } = this;
    this.places = [];
    this.height = 0;
    this.pending = false;
    let depth = 0;
    let cursor = bodyCode;
    for (let e = facts.first; e < facts.last; e++) {
      const start = at[e] as number;
      this.plain(cursor, start);
      this.showVectors();
      cursor = next[e] as number;
      switch (kind[e]) {
        case Event.if:
        case Event.block:
        case Event.loop:
          if (kind[e] === Event.if) this.height--;
          reader.pos = start + 1;
          blockTypes[++depth] = reader.s33();
          bases[depth] = this.height - this.type(blockTypes[depth] as number).params.length;
          // What comes round to a loop's header is not known yet.
          this.unknown(bases[depth] as number, this.height);
          break;
        case Event.else:
        case Event.end: {
          if (depth === 0) break;
          const { params, results } = this.type(blockTypes[depth] as number);
          const base = bases[depth] as number;
          this.height = base + (kind[e] === Event.else ? params : results).length;
          this.unknown(base, this.height);
          if (kind[e] === Event.end) depth--;
          break;
        }
        case Event.brIf:
          this.height--;
          break;
        case Event.call:
          this.call(module.types[module.functions[arg[e] as number] as number] as FunctionType);
          break;
        case Event.callIndirect:
          this.height--;
          this.call(module.types[arg[e] as number] as FunctionType);
          break;
        case Event.bulk:
          this.height += miscHeightChange[arg[e] as number] as number;
          break;
        case Event.refFunc:
          this.flags[this.height++] = clean;
          break;
        case Event.br:
        case Event.brTable:
        case Event.return:
        case Event.unreachable:
        case Event.returnCall:
        case Event.returnCallIndirect:
          // What follows is an else or an end, but not necessarily right behind.
          cursor = at[e + 1] as number;
          break;
      }
    }
    return this.places.sort((a, b) => a.at - b.at);
  }

  private type(blockType: number): { params: readonly number[]; results: readonly number[] } {
    if (blockType >= 0) return this.module.types[blockType] as FunctionType;
    return blockType === emptyBlockType ? { params: [], results: [] } : { params: [], results: [blockType & 0x7f] };
  }

  private unknown(from: number, to: number): void {
    this.flags.fill(computed, from, to);
  }

  private call({ params, results }: FunctionType): void {
    this.height -= params.length;
    this.unknown(this.height, this.height + results.length);
    this.height += results.length;
  }

  /** Code without events: every operation changes the stack by a fixed number. */
  private plain(start: number, end: number): void {
    const { reader, flags } = this;
    const bytes = this.module.bytes;
    let pos = start;
    while (pos < end) {
      const at = pos;
      const op = bytes[pos++] as number;
      if (op === 0xfd) {
        reader.pos = pos;
        this.simd(at);
        pos = reader.pos;
        continue;
      }
      switch (immediates[op]) {
        case Imm.index:
        case Imm.i32:
        case Imm.i64:
          while ((bytes[pos++] as number) >= 0x80);
          break;
        case Imm.memarg:
          while ((bytes[pos++] as number) >= 0x80);
          while ((bytes[pos++] as number) >= 0x80);
          break;
        case Imm.f32:
          pos += 4;
          break;
        case Imm.f64:
          pos += 8;
          break;
        case Imm.selectTypes:
          pos += 2;
          break;
        case Imm.heapType:
        case Imm.memory:
          pos++;
          break;
        case Imm.prefixed: {
          reader.pos = pos;
          const sub = reader.u32();
          // Drops of segments and table.size are the only ones with an index that are no events.
          if (sub >= 8) reader.u32();
          pos = reader.pos;
          this.height += miscHeightChange[sub] as number;
          if (sub < 8 || sub === 16) flags[this.height - 1] = clean;
          continue;
        }
      }
      if (floatUse[op] === 2) this.shows(op, at);
      if (this.pending && (op === 0x1a || op === 0x1b || op === 0x1c || op === 0x21 || op === 0x22 || op === 0x24)) {
        this.showVectors();
      }
      this.height += heightChange[op] as number;
      if (leavesFlag[op]) continue;
      const top = this.height - 1;
      if (op === 0x1b || op === 0x1c) flags[top] = Math.max(flags[top] as number, flags[top + 1] as number);
      else flags[top] = op === 0x20 || floatUse[op] === 1 ? computed : clean;
    }
  }

  /** The operand on top is about to be shown. */
  private shows(op: number, at: number): void {
    const top = this.flags[this.height - 1] as number;
    if (op === 0x98 || op === 0xa6) {
      const below = this.flags[this.height - 2] as number;
      if (top === computed || below === computed) {
        this.places.push({ at, kind: op === 0x98 ? Canonical.f32Both : Canonical.f64Both });
      }
    } else if (top === computed) {
      const kind = op === 0x24 ? this.globalKind(at) : op === 0x38 || op === 0xbc ? Canonical.f32 : Canonical.f64;
      if (kind >= 0) this.places.push({ at, kind });
    }
  }

  private globalKind(at: number): number {
    this.reader.pos = at + 1;
    const type = this.module.globals[this.reader.u32()]?.type;
    return type === 0x7d ? Canonical.f32 : type === 0x7c ? Canonical.f64 : -1;
  }

  /** Makes all vectors on the stack canonical that come from arithmetic. */
  private showVectors(): void {
    if (!this.pending) return;
    this.pending = false;
    for (let slot = 0; slot < this.height; slot++) this.showVector(slot);
  }

  private showVector(slot: number): void {
    const flag = this.flags[slot] as number;
    if (flag < vector) return;
    const place = flag - vector;
    // Two bits above the offset would be enough for the kind; a double holds them beside any offset.
    this.places.push({ at: Math.floor(place / 4), kind: place % 4 });
    this.flags[slot] = clean;
  }

  private kindOf(slot: number): number {
    const flag = this.flags[slot] as number;
    return flag < vector ? -1 : (flag - vector) % 4;
  }

  private simd(at: number): void {
    const { reader, flags } = this;
    const op = reader.u32();
    const kind = simdImmediates[op] as number;
    if (kind === Simd.memarg || kind === Simd.memargLane) {
      reader.u32();
      reader.skipLeb(10); // an offset may be written as a 64-bit number
      if (kind === Simd.memargLane) reader.byte();
    } else if (kind === Simd.lane) reader.byte();
    else if (kind === Simd.bytes16) reader.skip(16);

    const operands = simdOperands(op);
    for (let slot = this.height - operands; slot < this.height; slot++) {
      if (this.kindOf(slot) >= 0 && this.kindOf(slot) !== simdReads[op]) this.showVector(slot);
    }
    // Splats and lane replacements show the scalar on top to a vector without a type.
    if (op === 19 || op === 32) this.showScalar(at, Canonical.f32);
    if (op === 20 || op === 34) this.showScalar(at, Canonical.f64);
    this.height += simdHeightChange[op] as number;
    if (op === 11 || (op >= 88 && op < 92)) return;
    const top = this.height - 1;
    if ((simdKeeps[op] as number) >= 0) return;
    const computes = simdComputes[op] as number;
    if (computes >= 0) {
      flags[top] = vector + reader.pos * 4 + computes;
      this.pending = true;
    } else flags[top] = clean;
  }

  private showScalar(at: number, kind: number): void {
    if (this.flags[this.height - 1] === computed) this.places.push({ at, kind });
  }
}

/** How many of the topmost operands an operation takes, at most. */
function simdOperands(op: number): number {
  const change = simdHeightChange[op] as number;
  if (op === 12) return 0;
  // Every operation leaves one result but stores, which leave none.
  return op === 11 || (op >= 88 && op < 92) ? -change : 1 - change;
}

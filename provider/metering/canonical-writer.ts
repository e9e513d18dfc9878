import { ValueType } from './module.ts';
import { Canonical } from './nan.ts';
import type { CanonicalPlace } from './nan.ts';
import { Op } from './wasm.ts';
import type { Writer } from './writer.ts';

const f32Nan = [0x43, 0x00, 0x00, 0xc0, 0x7f];
const f64Nan = [0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f];
const f32x4Nan = [0xfd, 12, ...Array.from({ length: 4 }, () => f32Nan.slice(1)).flat()];
const f64x2Nan = [0xfd, 12, ...Array.from({ length: 2 }, () => f64Nan.slice(1)).flat()];
// f32x4.ne, f64x2.ne, i32x4.bitmask, i64x2.bitmask, v128.bitselect
const f32x4Ne = [0xfd, 66];
const f64x2Ne = [0xfd, 72];
const i32x4Bitmask = [0xfd, 0xa4, 0x01];
const i64x2Bitmask = [0xfd, 0xc4, 0x01];
const bitselect = [0xfd, 82];

/** The scalar on the stack, or the canonical NaN: a branch that is never taken in most programs. */
export function canonicalScalar(out: Writer, type: number, local: number): void {
  const single = type === ValueType.f32;
  put(out, Op.localTee, local);
  put(out, Op.localGet, local);
  out.put(single ? 0x5b : 0x61, Op.if, type); // eq
  put(out, Op.localGet, local);
  out.put(Op.else, ...(single ? f32Nan : f64Nan), Op.end);
}

function put(out: Writer, op: number, index: number): void {
  out.byte(op);
  out.u32(index);
}

/** Writes what makes NaNs canonical, with locals of its own in the function at hand. */
export class CanonicalWriter {
  private readonly out: Writer;
  /** By value type: the first of its locals. */
  private readonly local = new Map<number, number>();

  constructor(out: Writer) {
    this.out = out;
  }

  /** The types of the locals that these places need, the first of which will be `first`. */
  locals(places: readonly CanonicalPlace[], first: number): number[] {
    this.local.clear();
    const types: number[] = [];
    const need = (type: number, count: number): void => {
      if (this.local.has(type)) return;
      this.local.set(type, first + types.length);
      for (let index = 0; index < count; index++) types.push(type);
    };
    for (const { kind } of places) {
      if (kind === Canonical.f32 || kind === Canonical.f32Both) need(ValueType.f32, 2);
      else if (kind === Canonical.f64 || kind === Canonical.f64Both) need(ValueType.f64, 2);
      else need(ValueType.v128, 1);
    }
    return types;
  }

  write(kind: number): void {
    if (kind === Canonical.f32) this.scalar(ValueType.f32);
    else if (kind === Canonical.f64) this.scalar(ValueType.f64);
    else if (kind === Canonical.f32Both) this.both(ValueType.f32);
    else if (kind === Canonical.f64Both) this.both(ValueType.f64);
    else this.lanes(kind === Canonical.f32x4);
  }

  private scalar(type: number): void {
    canonicalScalar(this.out, type, this.local.get(type) as number);
  }

  private both(type: number): void {
    const { out } = this;
    const spare = (this.local.get(type) as number) + 1;
    this.scalar(type);
    put(out, Op.localSet, spare);
    this.scalar(type);
    put(out, Op.localGet, spare);
  }

  private lanes(single: boolean): void {
    const { out } = this;
    const local = this.local.get(ValueType.v128) as number;
    // Which lanes are NaNs. Their bitmask is a cheaper test than all_true or any_true.
    const nans = (): void => {
      put(out, Op.localGet, local);
      put(out, Op.localGet, local);
      out.put(...(single ? f32x4Ne : f64x2Ne));
    };
    put(out, Op.localSet, local);
    nans();
    out.put(...(single ? i32x4Bitmask : i64x2Bitmask), Op.if, ValueType.v128, ...(single ? f32x4Nan : f64x2Nan));
    put(out, Op.localGet, local);
    nans();
    out.put(...bitselect, Op.else);
    put(out, Op.localGet, local);
    out.byte(Op.end);
  }
}

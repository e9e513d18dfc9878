import { featureRefused, invalidModule, moduleLimit } from './errors.ts';
import type { MeterLimits } from './limits.ts';
import { ValueType, isReference } from './module.ts';
import type { FunctionReference, Module } from './module.ts';
import { Reader } from './reader.ts';

/** A cursor over a module with what its sections are made of: counted vectors, types, indices and constant expressions. */
export class ModuleReader {
  protected readonly module: Module;
  protected readonly limits: MeterLimits;
  protected readonly reader: Reader;

  constructor(bytes: Uint8Array, limits: MeterLimits) {
    this.limits = limits;
    this.reader = new Reader(bytes, 8);
    this.module = {
      bytes,
      types: [],
      imports: [],
      functions: [],
      tables: [],
      memory: undefined,
      globals: [],
      exports: [],
      start: undefined,
      elements: [],
      dataCount: undefined,
      bodies: [],
      data: undefined,
      passiveData: false,
      features: new Set(),
    };
  }

  protected vector(limit: keyof MeterLimits, entry: () => void): void {
    const offset = this.reader.pos;
    const count = this.reader.u32();
    if (count > this.limits[limit]) throw moduleLimit(limit, count, this.limits[limit], offset);
    for (let index = 0; index < count; index++) entry();
  }

  protected valueType(): number {
    const offset = this.reader.pos;
    const type = this.reader.byte();
    if (type >= ValueType.f64 && type <= ValueType.i32) return type;
    if (type === ValueType.v128) {
      this.module.features.add('simd');
      return type;
    }
    if (isReference(type)) {
      this.module.features.add('reference-types');
      return type;
    }
    if (type === 0x63 || type === 0x64) throw featureRefused('typed function references', offset);
    if (type === 0x69 || type === 0x74) throw featureRefused('exceptions', offset);
    if (type >= 0x6a && type <= 0x73) throw featureRefused('garbage collection', offset);
    throw featureRefused(`the unknown type 0x${type.toString(16).padStart(2, '0')}`, offset);
  }

  protected valueTypes(): number[] {
    const offset = this.reader.pos;
    const count = this.reader.u32();
    if (count > this.limits.arityMax) throw moduleLimit('arityMax', count, this.limits.arityMax, offset);
    const types: number[] = [];
    for (let index = 0; index < count; index++) types.push(this.valueType());
    return types;
  }

  protected typeIndex(): number {
    const offset = this.reader.pos;
    const type = this.reader.u32();
    if (type >= this.module.types.length) throw invalidModule(`there is no type ${type}`, offset);
    return type;
  }

  protected constantExpression(functions: FunctionReference[]): void {
    const reader = this.reader;
    for (;;) {
      const offset = reader.pos;
      const op = reader.byte();
      if (op === 0x0b) return;
      if (op === 0x41) reader.skipLeb(5);
      else if (op === 0x42) reader.skipLeb(10);
      else if (op === 0x43) reader.skip(4);
      else if (op === 0x44) reader.skip(8);
      else if (op === 0x23) reader.u32();
      else if (op === 0xd0) this.valueType();
      else if (op === 0xd2) functions.push(this.functionIndex());
      else if ((op >= 0x6a && op <= 0x6c) || (op >= 0x7c && op <= 0x7e)) this.module.features.add('extended-const');
      else if (op === 0xfd && reader.u32() === 12) reader.skip(16);
      else if (op === 0xfb) throw featureRefused('garbage collection', offset);
      else throw featureRefused('an unknown constant expression', offset);
    }
  }

  protected functionIndex(): FunctionReference {
    const start = this.reader.pos;
    const index = this.reader.u32();
    if (index >= this.module.functions.length) throw invalidModule(`there is no function ${index}`, start);
    return { index, start, end: this.reader.pos };
  }

  protected locals(offset: number): number {
    const groups = this.reader.u32();
    const max = this.limits.localsPerFunctionMax;
    if (groups > max) throw moduleLimit('localsPerFunctionMax', groups, max, offset);
    let total = 0;
    for (let index = 0; index < groups; index++) {
      total += this.reader.u32();
      if (total > max) throw moduleLimit('localsPerFunctionMax', total, max, offset);
      this.valueType();
    }
    return total;
  }
}

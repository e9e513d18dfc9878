import type { FunctionType, Module } from '../metering/parts.ts';

/** The module that the probes import their hooks from; no handler can import it. */
export const hookModule = 'workswap_profile';
/** The memory with two 64-bit counters for each site: runs, and fuel beyond the fixed cost. */
export const counterMemory = 'workswap_profile';
export const counterBytes = 16;

const i32 = 0x7f;
const i64 = 0x7e;
const f64 = 0x7c;

/**
 * Indices in the instrumented module. The two hooks stand behind the imports and move all other functions up; types,
 * globals, memories and functions are appended.
 */
export class ProbeLayout {
  readonly types: FunctionType[];
  readonly enterType: number;
  readonly leaveType: number;
  readonly fuelGlobal: number;
  readonly pagesGlobal: number;
  readonly stackGlobal: number;
  readonly memoryIndex: number;
  /** Imports that stand in tables or references, each behind a function that tells of its calls. */
  readonly thunks: number[] = [];
  private readonly module: Module;
  private readonly typeIndices = new Map<string, number>();

  constructor(module: Module) {
    this.module = module;
    this.types = [...module.types];
    this.enterType = this.typeIndex([i32, f64], []);
    this.leaveType = this.typeIndex([f64], []);
    this.fuelGlobal = module.globals.length;
    this.pagesGlobal = module.globals.length + 1;
    this.stackGlobal = module.globals.length + 2;
    this.memoryIndex = module.memory === undefined ? 0 : 1;
  }

  get enterHook(): number {
    return this.module.imports.length;
  }

  get leaveHook(): number {
    return this.module.imports.length + 1;
  }

  typeIndex(params: readonly number[], results: readonly number[]): number {
    const key = `${params.join()}>${results.join()}`;
    let index = this.typeIndices.get(key);
    if (index === undefined) {
      index = this.types.push({ params: [...params], results: [...results] }) - 1;
      this.typeIndices.set(key, index);
    }
    return index;
  }

  /** The function to call, or to export, for `index`. */
  callee(index: number): number {
    return index < this.module.imports.length ? index : index + 2;
  }

  /** The function to put into a table or a reference for `index`. */
  reference(index: number): number {
    if (index >= this.module.imports.length) return index + 2;
    let thunk = this.thunks.indexOf(index);
    if (thunk < 0) thunk = this.thunks.push(index) - 1;
    return this.module.functions.length + 2 + thunk;
  }
}

export const ProbeTypes = { i32, i64, f64 } as const;

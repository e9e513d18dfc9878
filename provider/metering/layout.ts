import { Keep } from './plan.ts';
import type { Plan } from './plan.ts';
import { ValueType, isFloat, signature } from './module.ts';
import type { FunctionType, Module } from './module.ts';

/**
 * Indices in the metered module. Types, functions and globals are only ever appended, so that every index in the
 * original stays what it was; what has to be called in another form goes through a thunk behind them.
 */
export class Layout {
  readonly fuelGlobal: number;
  readonly pagesGlobal: number;
  readonly stackGlobal: number;
  /** All types, the original ones first. */
  readonly types: FunctionType[];
  /** What stands behind the original functions, in order. */
  readonly added: AddedFunction[] = [];
  /** What code refers to with ref.func: it has to be declared outside of the code. */
  readonly declared = new Set<number>();
  private readonly module: Module;
  private readonly plan: Plan;
  private readonly typeIndices = new Map<string, number>();
  private readonly innerTypes = new Map<number, number>();
  private readonly entries = new Map<number, number>();
  private readonly references = new Map<number, number>();
  private readonly hostCalls = new Map<number, number>();
  private growIndex = -1;

  constructor(module: Module, plan: Plan) {
    this.module = module;
    this.plan = plan;
    this.fuelGlobal = module.globals.length;
    this.pagesGlobal = module.globals.length + 1;
    this.stackGlobal = module.globals.length + 2;
    this.types = [...module.types];
  }

  /** A type of this shape, added when there is none among the added ones. */
  typeIndex(params: readonly number[], results: readonly number[]): number {
    const key = `${signature(params)}>${signature(results)}`;
    let index = this.typeIndices.get(key);
    if (index === undefined) {
      index = this.types.length;
      this.types.push({ params: [...params], results: [...results] });
      this.typeIndices.set(key, index);
    }
    return index;
  }

  /** The inner form of a type: with fuel, and the stack left where asked for. */
  innerType(typeIndex: number, takesStack: boolean): number {
    const key = typeIndex * 2 + (takesStack ? 1 : 0);
    let index = this.innerTypes.get(key);
    if (index === undefined) {
      const type = this.module.types[typeIndex] as FunctionType;
      const params = [...type.params, ValueType.i64];
      if (takesStack) params.push(ValueType.i32);
      index = this.typeIndex(params, [...type.results, ValueType.i64]);
      this.innerTypes.set(key, index);
    }
    return index;
  }

  /** The type that a function of the original has in the metered module. */
  functionType(index: number): number {
    const type = this.module.functions[index] as number;
    if (index < this.module.imports.length || this.plan.keep[index] !== Keep.parameter) return type;
    return this.innerType(type, this.plan.takesStack[index] === 1);
  }

  /** The type to name in an indirect call. */
  indirectType(typeIndex: number): number {
    return this.plan.byParameter ? this.innerType(typeIndex, this.tableTakesStack(typeIndex)) : typeIndex;
  }

  tableTakesStack(typeIndex: number): boolean {
    return this.plan.typeTakesStack[this.plan.graph.canonicalType[typeIndex] as number] === 1;
  }

  /** The function to export for `index`: the host calls it in its original form, and fuel lies in the global. */
  entry(index: number): number {
    const keep = this.plan.keep[index];
    const imported = index < this.module.imports.length;
    if (imported) return index;
    if ((keep === Keep.global || keep === Keep.local) && !this.showsFloats(index, 'results')) return index;
    return this.thunk(this.entries, { kind: 'entry', target: index, type: this.module.functions[index] as number });
  }

  /** The function to put into a table or a reference for `index`. */
  reference(index: number): number {
    const { keep, byParameter } = this.plan;
    const imported = index < this.module.imports.length;
    const type = this.module.functions[index] as number;
    if (!byParameter) {
      if (imported) return this.hostCall(index);
      if (keep[index] !== Keep.caller) return index;
      return this.thunk(this.references, { kind: 'reference', target: index, type });
    }
    if (!imported && keep[index] === Keep.parameter) return index;
    return this.thunk(this.references, { kind: 'reference', target: index, type: this.indirectType(type) });
  }

  /** The function to call for the import `index`: floats handed to the host are made canonical on the way. */
  hostCall(index: number): number {
    if (!this.showsFloats(index, 'params')) return index;
    return this.thunk(this.hostCalls, { kind: 'host', target: index, type: this.module.functions[index] as number });
  }

  private showsFloats(index: number, side: 'params' | 'results'): boolean {
    return this.module.types[this.module.functions[index] as number]?.[side].some(isFloat) ?? false;
  }

  /** The helper that stands for memory.grow. */
  memoryGrow(): number {
    if (this.growIndex < 0) {
      const type = this.typeIndex([ValueType.i32], [ValueType.i32]);
      this.growIndex = this.add({ kind: 'grow', target: -1, type });
    }
    return this.growIndex;
  }

  reset(): number {
    return this.add({ kind: 'reset', target: -1, type: this.typeIndex([], []) });
  }

  private thunk(known: Map<number, number>, thunk: AddedFunction): number {
    let index = known.get(thunk.target);
    if (index === undefined) {
      index = this.add(thunk);
      known.set(thunk.target, index);
    }
    return index;
  }

  private add(added: AddedFunction): number {
    this.added.push(added);
    return this.module.functions.length + this.added.length - 1;
  }
}

export interface AddedFunction {
  kind: 'entry' | 'reference' | 'host' | 'grow' | 'reset';
  /** The function of the original that it leads to, or -1. */
  target: number;
  type: number;
}

/** What the parser finds in a module: positions and counts, never copies of the bytes. */

export const ValueType = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;

const valueTypeNames = new Map<number, string>(Object.entries(ValueType).map(([name, code]) => [code, name]));

export type ExternalKind = 'func' | 'table' | 'memory' | 'global';
export const externalKinds: readonly ExternalKind[] = ['func', 'table', 'memory', 'global'];

export interface FunctionType {
  params: number[];
  results: number[];
}

export interface ImportedFunction {
  module: string;
  name: string;
  type: number;
}

export interface Table {
  type: number;
  min: number;
  max: number | undefined;
}

export interface Global {
  type: number;
  mutable: boolean;
  /** The init expression with its `end`. */
  initStart: number;
  initEnd: number;
  functions: FunctionReference[];
}

/** A function's index and where its LEB128 stands, so that it can be replaced. */
export interface FunctionReference {
  index: number;
  start: number;
  end: number;
}

export interface Export {
  name: string;
  kind: ExternalKind;
  index: number;
}

export interface Body {
  /** First byte of the local declarations. */
  start: number;
  /** First byte of the code. */
  code: number;
  end: number;
  localsDeclared: number;
}

/** A section or a run of bytes in the module, copied as it is. */
export interface Span {
  start: number;
  end: number;
}

export interface Module {
  bytes: Uint8Array;
  types: FunctionType[];
  imports: ImportedFunction[];
  /** Type index of every function, imports first. */
  functions: number[];
  tables: Table[];
  memory: { min: number; max: number | undefined } | undefined;
  globals: Global[];
  exports: Export[];
  start: number | undefined;
  elements: ElementSegment[];
  dataCount: number | undefined;
  bodies: Body[];
  data: Span | undefined;
  passiveData: boolean;
  features: Set<string>;
}

export interface ElementSegment {
  start: number;
  end: number;
  functions: FunctionReference[];
  declarative: boolean;
}

export function valueTypeName(code: number): string {
  return valueTypeNames.get(code) ?? `0x${code.toString(16)}`;
}

/** `'i32,i64'`; empty for no values. */
export function signature(types: readonly number[]): string {
  return types.map(valueTypeName).join(',');
}

export function isReference(type: number): boolean {
  return type === ValueType.funcref || type === ValueType.externref;
}

export function isFloat(type: number): boolean {
  return type === ValueType.f32 || type === ValueType.f64;
}

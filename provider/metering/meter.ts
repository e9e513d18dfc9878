import { assemble } from './assemble.ts';
import { MeterError, invalidModule, moduleLimit } from './errors.ts';
import { defaultLimits, memoryPagesMaxDefault } from './limits.ts';
import type { MeterLimits } from './limits.ts';
import { signature } from './module.ts';
import type { ExternalKind, Module } from './module.ts';
import { NanFinder } from './nan.ts';
import type { CanonicalPlace } from './nan.ts';
import { parseModule } from './parse.ts';
import { allowsParameters, makePlan } from './plan.ts';
import { Scanner } from './scan.ts';
import type { FunctionFacts } from './events.ts';
import { meterVersion } from './version.ts';

export interface MeterOptions {
  /** First value of `workswap_fuel`, 0 unless told. */
  initialFuel?: bigint;
  /** Static cap on the memory in pages of 64 KiB, and first value of `workswap_memory_pages_max`. */
  memoryPagesMax?: number;
  /** For trusted modules only: a receipt verifies elsewhere only under the default limits. */
  limits?: Partial<MeterLimits>;
  /** False keeps fuel out of parameters even where it could go there. The fuel counted is the same. */
  fuelInParameters?: boolean;
}

export interface MeteredImport {
  module: string;
  name: string;
  kind: 'func';
  /** Value types with commas, `'i32,i64'`; empty for none. */
  params: string;
  results: string;
}

export interface MeteredExport {
  name: string;
  kind: ExternalKind;
  /** Of functions: value types with commas. */
  params?: string;
  results?: string;
}

export interface ModuleSetup {
  memoryPages: number;
  /** Of the data section, segment headers included. */
  dataBytes: number;
  /** Smallest sizes of all tables. */
  tableEntries: number;
  /** Of all element segments, headers included. */
  elementBytes: number;
  globals: number;
  exports: number;
}

export interface MeteredModule {
  bytes: Uint8Array;
  meterVersion: string;
  /** Features beyond the first version of WebAssembly that the module uses, sorted: `bulk-memory`, `simd`, ... */
  features: string[];
  imports: MeteredImport[];
  /** The module's own exports, without the meter's. */
  exports: MeteredExport[];
  memoryPagesMin: number;
  /** How much there is to set up before anything runs; a host may want to be paid for it. */
  setup: ModuleSetup;
  /** The module had a start function: the host calls `workswap_start` under fuel before anything else. */
  hasStart: boolean;
  /** After a clean return, restored memory and a call of `workswap_reset` make the instance as good as new. */
  resettable: boolean;
}

/**
 * Rewrites a module so that it counts its own fuel and keeps to its memory. Throws `MeterError` (`NOT_WASM`,
 * `INVALID_MODULE`, `FEATURE_REFUSED`, `MODULE_LIMIT`, `RESERVED_EXPORT`) when it is not to be run at all.
 */
export function meter(bytes: Uint8Array, options: MeterOptions = {}): MeteredModule {
  const limits = { ...defaultLimits, ...options.limits };
  const memoryPagesMax = options.memoryPagesMax ?? memoryPagesMaxDefault;
  const module = parseModule(bytes, limits);
  const pagesMin = module.memory?.min ?? 0;
  if (pagesMin > memoryPagesMax) throw moduleLimit('memoryPagesMax', pagesMin, memoryPagesMax);

  const valid = isValid(bytes);
  const byParameter = options.fuelInParameters !== false && allowsParameters(module);
  const scanner = new Scanner(module, limits, byParameter);
  const facts: FunctionFacts[] = [];
  try {
    for (const [index, body] of module.bodies.entries()) {
      facts.push(scanner.scan(body, module.functions[module.imports.length + index] as number));
    }
  } catch (error) {
    // An engine that does not know a feature calls the module invalid; the scan names what is refused.
    if (valid || (error instanceof MeterError && error.code === 'FEATURE_REFUSED')) throw error;
  }
  if (!valid) throw invalidModule('the engine does not accept it');
  scanner.finish();
  const plan = makePlan(module, scanner.events, facts, byParameter, limits);
  const places = canonicalPlaces(module, scanner, facts, limits);
  const metered = assemble(module, scanner, facts, plan, places, {
    initialFuel: options.initialFuel ?? 0n,
    memoryPagesMax,
    limits,
  });
  return {
    bytes: metered,
    meterVersion,
    features: [...module.features].sort(),
    imports: module.imports.map(({ module: from, name, type }) => ({
      module: from,
      name,
      kind: 'func' as const,
      ...signatureOf(module, type),
    })),
    exports: module.exports.map(({ name, kind, index }) => ({
      name,
      kind,
      ...(kind === 'func' ? signatureOf(module, module.functions[index] as number) : {}),
    })),
    memoryPagesMin: pagesMin,
    setup: setupOf(module),
    hasStart: module.start !== undefined,
    resettable: isResettable(module, scanner),
  };
}

function setupOf({ memory, data, tables, elements, globals, exports }: Module): ModuleSetup {
  return {
    memoryPages: memory?.min ?? 0,
    dataBytes: data === undefined ? 0 : data.end - data.start,
    tableEntries: tables.reduce((sum, { min }) => sum + min, 0),
    elementBytes: elements.reduce((sum, { start, end }) => sum + end - start, 0),
    globals: globals.length,
    exports: exports.length,
  };
}

function isValid(bytes: Uint8Array): boolean {
  return WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>);
}

function canonicalPlaces(
  module: Module,
  scanner: Scanner,
  facts: readonly FunctionFacts[],
  limits: MeterLimits,
): CanonicalPlace[][] {
  if (!facts.some(({ computesFloats }) => computesFloats)) return [];
  const finder = new NanFinder(module, scanner.events, limits);
  return facts.map((fact, index) => (fact.showsFloats ? finder.find(module.bodies[index]?.code ?? 0, fact) : []));
}

function signatureOf(module: Module, typeIndex: number): { params: string; results: string } {
  const type = module.types[typeIndex];
  return { params: signature(type?.params ?? []), results: signature(type?.results ?? []) };
}

/** Tables and dropped segments keep traces of a run, and so does an exported mutable thing that the host can reach. */
function isResettable(module: Module, scanner: Scanner): boolean {
  return !scanner.changesTables && !scanner.dropsSegments && !module.exports.some(({ kind }) => kind === 'table');
}

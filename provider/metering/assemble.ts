import { AddedWriter, copyWithReferences } from './added.ts';
import { Emitter } from './emit.ts';
import { moduleLimit } from './errors.ts';
import type { FunctionFacts } from './events.ts';
import { Layout } from './layout.ts';
import type { MeterLimits } from './limits.ts';
import { ValueType, externalKinds } from './module.ts';
import type { Module } from './module.ts';
import type { CanonicalPlace } from './nan.ts';
import { stackBytesMax } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Scanner } from './scan.ts';
import { Op } from './wasm.ts';
import { Writer } from './writer.ts';

export interface AssembleOptions {
  initialFuel: bigint;
  memoryPagesMax: number;
  limits: MeterLimits;
}

/** Writes the metered module. Custom sections are dropped. */
export function assemble(
  module: Module,
  scanner: Scanner,
  facts: readonly FunctionFacts[],
  plan: Plan,
  places: readonly (readonly CanonicalPlace[])[],
  options: AssembleOptions,
): Uint8Array {
  const layout = new Layout(module, plan);
  // Code first: it decides which types and functions are added.
  const code = codeSection(module, scanner, facts, plan, places, layout, options.limits);
  const globals = globalSection(module, layout, options);
  const elements = elementSection(module, layout);
  const exports = exportSection(module, layout);
  const added = new AddedWriter(module, plan, layout);
  for (let index = 0; index < layout.added.length; index++) {
    const body = added.body(layout.added[index] as (typeof layout.added)[number]);
    code.u32(body.length);
    code.append(body);
  }
  const functions = functionSection(module, layout);
  const codeCount = module.bodies.length + layout.added.length;

  const out = new Writer(module.bytes.length + (module.bytes.length >> 1) + 1024);
  out.copy(module.bytes, 0, 8);
  out.section(1, typeSection(layout));
  out.section(2, importSection(module));
  out.section(3, functions);
  out.section(4, tableSection(module, options.limits.tableEntriesMax));
  out.section(5, memorySection(module, options.memoryPagesMax));
  out.section(6, globals);
  out.section(7, exports);
  out.section(9, elements);
  if (module.dataCount !== undefined) {
    const count = new Writer(8);
    count.u32(module.dataCount);
    out.section(12, count);
  }
  const codeHeader = new Writer(8);
  codeHeader.u32(codeCount);
  out.byte(10);
  out.u32(codeHeader.length + code.length);
  out.append(codeHeader);
  out.append(code);
  if (module.data !== undefined) {
    const data = new Writer(module.data.end - module.data.start);
    data.copy(module.bytes, module.data.start, module.data.end);
    out.section(11, data);
  }
  return out.take();
}

function typeSection(layout: Layout): Writer {
  const out = new Writer(layout.types.length * 6 + 8);
  out.u32(layout.types.length);
  for (const { params, results } of layout.types) {
    out.byte(0x60);
    out.u32(params.length);
    out.put(...params);
    out.u32(results.length);
    out.put(...results);
  }
  return out;
}

function importSection(module: Module): Writer {
  const out = new Writer(256);
  if (module.imports.length === 0) return out;
  out.u32(module.imports.length);
  for (const entry of module.imports) {
    out.name(entry.module);
    out.name(entry.name);
    out.byte(0);
    out.u32(entry.type);
  }
  return out;
}

function functionSection(module: Module, layout: Layout): Writer {
  const out = new Writer(module.functions.length * 2 + 16);
  out.u32(module.bodies.length + layout.added.length);
  for (let index = module.imports.length; index < module.functions.length; index++) {
    out.u32(layout.functionType(index));
  }
  for (const { type } of layout.added) out.u32(type);
  return out;
}

function limitsOf(out: Writer, min: number, max: number): void {
  out.byte(1);
  out.u32(min);
  out.u32(max);
}

function tableSection(module: Module, entriesMax: number): Writer {
  const out = new Writer(64);
  if (module.tables.length === 0) return out;
  out.u32(module.tables.length);
  for (const { type, min, max } of module.tables) {
    out.byte(type);
    limitsOf(out, min, Math.min(max ?? entriesMax, entriesMax));
  }
  return out;
}

function memorySection(module: Module, pagesMax: number): Writer {
  const out = new Writer(16);
  if (module.memory === undefined) return out;
  out.u32(1);
  limitsOf(out, module.memory.min, Math.min(module.memory.max ?? pagesMax, pagesMax));
  return out;
}

function globalSection(module: Module, layout: Layout, options: AssembleOptions): Writer {
  const out = new Writer(256);
  out.u32(module.globals.length + 3);
  for (const { type, mutable, initStart, initEnd, functions } of module.globals) {
    out.put(type, mutable ? 1 : 0);
    copyWithReferences(out, module.bytes, initStart, initEnd, functions, layout);
  }
  out.put(ValueType.i64, 1, Op.i64Const);
  out.signedBig(options.initialFuel);
  out.put(Op.end, ValueType.i32, 1, Op.i32Const);
  out.signed(options.memoryPagesMax);
  out.put(Op.end, ValueType.i32, 1, Op.i32Const);
  out.signed(stackBytesMax);
  out.byte(Op.end);
  return out;
}

function exportSection(module: Module, layout: Layout): Writer {
  const out = new Writer(256);
  const entry = (name: string, kind: (typeof externalKinds)[number], index: number): void => {
    out.name(name);
    out.byte(externalKinds.indexOf(kind));
    out.u32(index);
  };
  out.u32(module.exports.length + 4 + (module.start === undefined ? 0 : 1));
  for (const { name, kind, index } of module.exports) {
    entry(name, kind, kind === 'func' ? layout.entry(index) : index);
  }
  entry('workswap_fuel', 'global', layout.fuelGlobal);
  entry('workswap_memory_pages_max', 'global', layout.pagesGlobal);
  entry('workswap_stack', 'global', layout.stackGlobal);
  entry('workswap_reset', 'func', layout.reset());
  if (module.start !== undefined) entry('workswap_start', 'func', layout.entry(module.start));
  return out;
}

function elementSection(module: Module, layout: Layout): Writer {
  const out = new Writer(256);
  const declares = layout.declared.size > 0;
  if (module.elements.length === 0 && !declares) return out;
  out.u32(module.elements.length + (declares ? 1 : 0));
  for (const { start, end, functions } of module.elements) {
    copyWithReferences(out, module.bytes, start, end, functions, layout);
  }
  if (declares) {
    // An export declares a function too, but what is exported and what is referred to may be two functions now.
    out.put(3, 0);
    out.u32(layout.declared.size);
    for (const index of layout.declared) out.u32(index);
  }
  return out;
}

function codeSection(
  module: Module,
  scanner: Scanner,
  facts: readonly FunctionFacts[],
  plan: Plan,
  places: readonly (readonly CanonicalPlace[])[],
  layout: Layout,
  limits: MeterLimits,
): Writer {
  const code = new Writer(module.bytes.length + (module.bytes.length >> 1) + 1024);
  const body = new Writer(4096);
  const emitter = new Emitter(module, scanner, plan, layout, body, limits);
  for (let index = 0; index < module.bodies.length; index++) {
    body.length = 0;
    emitter.body(
      module.imports.length + index,
      module.bodies[index] as Module['bodies'][number],
      facts[index] as FunctionFacts,
      places[index] ?? [],
    );
    const { start } = module.bodies[index] as Module['bodies'][number];
    checkSize('meteredBodyBytesMax', body.length, limits, start);
    checkSize('meteredCodeBytesMax', code.length + body.length, limits, start);
    code.u32(body.length);
    code.append(body);
  }
  return code;
}

/** Some operations grow tenfold and more: what was within the limits as it came need not be so any longer. */
function checkSize(limit: keyof MeterLimits, bytes: number, limits: MeterLimits, offset: number): void {
  if (bytes > limits[limit]) throw moduleLimit(limit, bytes, limits[limit], offset);
}

import { WorkswapError } from '../../sdk/protocol/index.ts';
import { defaultLimits, memoryPagesMaxDefault, stackBytesMax } from '../metering/index.ts';
import {
  copyWithReferences,
  externalKinds,
  makePlan,
  NanFinder,
  Op,
  parseModule,
  Scanner,
  Writer,
} from '../metering/parts.ts';
import type { Module } from '../metering/parts.ts';
import { BodyWriter } from './body-writer.ts';
import { counterBytes, counterMemory, hookModule, ProbeLayout, ProbeTypes } from './probe-layout.ts';
import type { Site } from './sites.ts';

export interface Instrumented {
  bytes: Uint8Array;
  sites: Site[];
  /** Names of the imports: functions 0 and on. */
  imports: string[];
  functionCount: number;
}

/**
 * Rewrites a module by the meter's rules, but pays for every stretch of code where it stands, counts its runs, and tells
 * `workswap_profile.enter(function, fuel)` and `.leave(fuel)` of every call. A run that completes burns exactly what it
 * burns metered. The module must be one that `meter` accepts.
 *
 * @throws ProfileTooLargeError
 */
export function instrument(bytes: Uint8Array): Instrumented {
  const module = parseModule(bytes, defaultLimits);
  const scanner = new Scanner(module, defaultLimits, false);
  const facts = module.bodies.map((body, index) =>
    scanner.scan(body, module.functions[module.imports.length + index] as number),
  );
  scanner.finish();
  const { stackBytes } = makePlan(module, scanner.events, facts, false, defaultLimits);
  const layout = new ProbeLayout(module);
  const body = new Writer(4096);
  const writer = new BodyWriter(module, scanner.events, stackBytes, layout, body, defaultLimits.tableEntriesMax);
  const finder = new NanFinder(module, scanner.events, defaultLimits);
  const computesFloats = facts.some((fact) => fact.computesFloats);

  const code = new Writer(bytes.length * 4 + 1024);
  const write = (): void => {
    if (body.length > defaultLimits.meteredBodyBytesMax) throw new ProfileTooLargeError(body.length);
    code.u32(body.length);
    code.append(body);
    body.length = 0;
  };
  for (const [index, fact] of facts.entries()) {
    const original = module.bodies[index] as Module['bodies'][number];
    const places = computesFloats && fact.showsFloats ? finder.find(original.code, fact) : [];
    writer.body(module.imports.length + index, original, fact, places);
    write();
  }
  // Before the thunks, which come of naming imports.
  const globals = globalSection(module, layout);
  const elements = elementSection(module, layout);
  for (const target of layout.thunks) {
    writer.thunk(target);
    write();
  }

  const out = new Writer(code.length + bytes.length + 1024);
  out.copy(bytes, 0, 8);
  out.section(1, typeSection(layout));
  out.section(2, importSection(module, layout));
  out.section(3, functionSection(module, layout));
  out.section(4, tableSection(module));
  out.section(5, memorySection(module, writer.sites.length));
  out.section(6, globals);
  out.section(7, exportSection(module, layout));
  out.section(9, elements);
  if (module.dataCount !== undefined) out.section(12, counted(module.dataCount));
  const codes = counted(module.bodies.length + layout.thunks.length, code.length);
  codes.append(code);
  out.section(10, codes);
  if (module.data !== undefined) {
    const data = new Writer(module.data.end - module.data.start);
    data.copy(bytes, module.data.start, module.data.end);
    out.section(11, data);
  }
  return {
    bytes: out.take(),
    sites: writer.sites,
    imports: module.imports.map(({ name }) => name),
    functionCount: module.functions.length,
  };
}

/** Probes make a function larger than the meter does, and engines have a limit. */
export class ProfileTooLargeError extends WorkswapError {
  constructor(bytes: number) {
    super(
      'PROFILE_TOO_LARGE',
      `A function of this module has ${bytes} bytes with all probes, more than engines take. Profile a build with smaller functions.`,
      { fault: 'handler' },
    );
  }
}

function counted(count: number, capacity = 64): Writer {
  const out = new Writer(capacity + 8);
  out.u32(count);
  return out;
}

function typeSection({ types }: ProbeLayout): Writer {
  const out = counted(types.length);
  for (const { params, results } of types) {
    out.byte(0x60);
    out.u32(params.length);
    out.put(...params);
    out.u32(results.length);
    out.put(...results);
  }
  return out;
}

function importSection(module: Module, layout: ProbeLayout): Writer {
  const out = counted(module.imports.length + 2);
  const hooks = [
    { module: hookModule, name: 'enter', type: layout.enterType },
    { module: hookModule, name: 'leave', type: layout.leaveType },
  ];
  for (const { module: from, name, type } of [...module.imports, ...hooks]) {
    out.name(from);
    out.name(name);
    out.byte(0);
    out.u32(type);
  }
  return out;
}

function functionSection(module: Module, { thunks }: ProbeLayout): Writer {
  const out = counted(module.bodies.length + thunks.length);
  for (const type of module.functions.slice(module.imports.length)) out.u32(type);
  for (const target of thunks) out.u32(module.functions[target] as number);
  return out;
}

function limits(out: Writer, min: number, max: number): void {
  out.byte(1);
  out.u32(min);
  out.u32(max);
}

function tableSection(module: Module): Writer {
  const out = counted(module.tables.length);
  for (const { type, min, max } of module.tables) {
    out.byte(type);
    limits(out, min, Math.min(max ?? Infinity, defaultLimits.tableEntriesMax));
  }
  return out;
}

function memorySection(module: Module, sites: number): Writer {
  const out = counted(module.memory === undefined ? 1 : 2);
  if (module.memory !== undefined) {
    limits(out, module.memory.min, Math.min(module.memory.max ?? Infinity, memoryPagesMaxDefault));
  }
  const pages = Math.ceil((sites * counterBytes) / 65_536);
  limits(out, pages, pages);
  return out;
}

function globalSection(module: Module, layout: ProbeLayout): Writer {
  const out = counted(module.globals.length + 3);
  for (const { type, mutable, initStart, initEnd, functions } of module.globals) {
    out.put(type, mutable ? 1 : 0);
    copyWithReferences(out, module.bytes, initStart, initEnd, functions, layout);
  }
  out.put(ProbeTypes.i64, 1, Op.i64Const, 0, Op.end);
  for (const first of [memoryPagesMaxDefault, stackBytesMax]) {
    out.put(ProbeTypes.i32, 1, Op.i32Const);
    out.signed(first);
    out.byte(Op.end);
  }
  return out;
}

function exportSection(module: Module, layout: ProbeLayout): Writer {
  const out = counted(module.exports.length + 4 + (module.start === undefined ? 0 : 1));
  const entry = (name: string, kind: (typeof externalKinds)[number], index: number): void => {
    out.name(name);
    out.byte(externalKinds.indexOf(kind));
    out.u32(index);
  };
  for (const { name, kind, index } of module.exports) entry(name, kind, kind === 'func' ? layout.callee(index) : index);
  entry('workswap_fuel', 'global', layout.fuelGlobal);
  entry('workswap_memory_pages_max', 'global', layout.pagesGlobal);
  entry('workswap_stack', 'global', layout.stackGlobal);
  entry(counterMemory, 'memory', layout.memoryIndex);
  if (module.start !== undefined) entry('workswap_start', 'func', layout.callee(module.start));
  return out;
}

function elementSection(module: Module, layout: ProbeLayout): Writer {
  const out = counted(module.elements.length);
  for (const { start, end, functions } of module.elements) {
    copyWithReferences(out, module.bytes, start, end, functions, layout);
  }
  return out;
}

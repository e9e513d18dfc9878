import {
  bulkBytesPerUnit,
  cost,
  entryCost,
  localsPerUnit,
  memoryPageCost,
  miscCost,
  simdCost,
  tableEntryCost,
} from '../costs.ts';
import { CanonicalWriter } from '../canonical-writer.ts';
import { defaultLimits, memoryPagesMaxDefault } from '../limits.ts';
import type { Body, Module } from '../module.ts';
import { NanFinder } from '../nan.ts';
import type { CanonicalPlace } from '../nan.ts';
import { skipImmediates } from '../immediates.ts';
import { Misc } from '../opcodes.ts';
import { parseModule } from '../parse.ts';
import { Reader } from '../reader.ts';
import { Scanner } from '../scan.ts';
import { Op } from '../wasm.ts';
import { Writer } from '../writer.ts';

/**
 * The meaning of fuel, written down as plainly as it can be: a module that pays for every single operation just before
 * it runs, and stops as soon as the fuel is below zero. No analysis, no merging; `meter` must count the same. With
 * `canonicalNans` the NaNs are those of the meter, found by its own rules: else a module that tests their bits goes
 * another way.
 */
export function meterNaively(bytes: Uint8Array, { canonicalNans = false } = {}): Uint8Array {
  const memoryPagesMax = memoryPagesMaxDefault;
  const module = parseModule(bytes, defaultLimits);
  const places = canonicalNans ? canonicalPlaces(bytes) : [];
  const fuel = module.globals.length;
  const pages = fuel + 1;
  const out = new Writer(bytes.length * 4 + 256);
  out.copy(bytes, 0, 8);
  const reader = new Reader(bytes, 8);
  let globalsDone = false;
  const globals = (count: number, start: number, end: number) => {
    const content = new Writer();
    content.u32(count + 2);
    content.copy(bytes, start, end);
    content.put(0x7e, 1, Op.i64Const, 0, Op.end, 0x7f, 1, Op.i32Const);
    content.signed(memoryPagesMax);
    content.byte(Op.end);
    out.section(6, content);
    globalsDone = true;
  };
  let exportsDone = false;
  const exports = (count: number, start: number, end: number) => {
    const content = new Writer();
    content.u32(count + (module.start === undefined ? 2 : 3));
    content.copy(bytes, start, end);
    content.name('workswap_fuel');
    content.byte(3);
    content.u32(fuel);
    content.name('workswap_memory_pages_max');
    content.byte(3);
    content.u32(pages);
    if (module.start !== undefined) {
      content.name('workswap_start');
      content.byte(0);
      content.u32(module.start);
    }
    out.section(7, content);
    exportsDone = true;
  };
  while (reader.pos < bytes.length) {
    const sectionStart = reader.pos;
    const id = reader.byte();
    const size = reader.u32();
    const start = reader.pos;
    reader.pos = start + size;
    if (id === 0 || id === 8) continue;
    // Element, data count, code and data sections stand behind globals and exports.
    if (id > 6 && !globalsDone) globals(0, 0, 0);
    if (id > 7 && !exportsDone) exports(0, 0, 0);
    const inner = new Reader(bytes, start, start + size);
    if (id === 6) globals(inner.u32(), inner.pos, start + size);
    else if (id === 7) exports(inner.u32(), inner.pos, start + size);
    else if (id === 5 && module.memory !== undefined) {
      const content = new Writer();
      content.put(1, 1);
      content.u32(module.memory.min);
      content.u32(Math.min(module.memory.max ?? memoryPagesMax, memoryPagesMax));
      out.section(5, content);
    } else if (id === 4) {
      const content = new Writer();
      content.u32(module.tables.length);
      for (const table of module.tables) {
        content.put(table.type, 1);
        content.u32(table.min);
        content.u32(Math.min(table.max ?? defaultLimits.tableEntriesMax, defaultLimits.tableEntriesMax));
      }
      out.section(4, content);
    } else if (id === 10) {
      const content = new Writer(size * 4);
      content.u32(module.bodies.length);
      for (const [index, body] of module.bodies.entries()) {
        const type = module.types[module.functions[module.imports.length + index] as number];
        const written = naiveBody(module, body, type?.params.length ?? 0, fuel, pages, places[index] ?? []);
        content.u32(written.length);
        content.append(written);
      }
      out.section(10, content);
    } else out.copy(bytes, sectionStart, start + size);
  }
  return out.take();
}

function canonicalPlaces(bytes: Uint8Array): CanonicalPlace[][] {
  const module = parseModule(bytes, defaultLimits);
  const scanner = new Scanner(module, defaultLimits, false);
  const facts = module.bodies.map((body, index) =>
    scanner.scan(body, module.functions[module.imports.length + index] as number),
  );
  if (!facts.some(({ computesFloats }) => computesFloats)) return [];
  const finder = new NanFinder(module, scanner.events, defaultLimits);
  return facts.map((fact, index) => (fact.showsFloats ? finder.find(module.bodies[index]?.code ?? 0, fact) : []));
}

function naiveBody(
  module: Module,
  body: Body,
  params: number,
  fuel: number,
  pages: number,
  places: readonly CanonicalPlace[],
): Writer {
  const { bytes } = module;
  const out = new Writer((body.end - body.start) * 8 + 64);
  const reader = new Reader(bytes, body.start, body.end);
  const temporary = params + body.localsDeclared;
  const canonical = new CanonicalWriter(out);
  const canonicalLocals = canonical.locals(places, temporary + 1);
  out.u32(reader.u32() + 1 + canonicalLocals.length);
  out.copy(bytes, reader.pos, body.code);
  out.put(1, 0x7f);
  for (const type of canonicalLocals) out.put(1, type);
  let nextPlace = 0;

  const checked = () => {
    out.byte(Op.globalSet);
    out.u32(fuel);
    out.byte(Op.globalGet);
    out.u32(fuel);
    out.put(Op.i64Const, 0, Op.i64LtS, Op.if, Op.empty, Op.unreachable, Op.end);
  };
  const pay = (amount: number) => {
    if (amount === 0) return;
    out.byte(Op.globalGet);
    out.u32(fuel);
    out.byte(Op.i64Const);
    out.signed(amount);
    out.byte(Op.i64Sub);
    checked();
  };
  const local = (op: number) => {
    out.byte(op);
    out.u32(temporary);
  };
  /** Pays `each` for every one of the i32 on the stack, or one for every `-each`, and leaves it there. */
  const payLength = (each: number, lengthMax?: number) => {
    local(Op.localTee);
    out.byte(Op.globalGet);
    out.u32(fuel);
    local(Op.localGet);
    if (lengthMax !== undefined) {
      out.byte(Op.i32Const);
      out.signed(lengthMax);
      local(Op.localGet);
      out.byte(Op.i32Const);
      out.signed(lengthMax);
      out.put(Op.i32LtU, Op.select);
    }
    out.put(Op.i64ExtendI32U, Op.i64Const);
    out.signed(Math.abs(each));
    out.put(each > 0 ? Op.i64Mul : 0x80, Op.i64Sub); // 0x80: i64.div_u
    checked();
  };

  pay(entryCost + Math.floor(body.localsDeclared / localsPerUnit));
  reader.pos = body.code;
  while (reader.pos < body.end) {
    const at = reader.pos;
    for (; (places[nextPlace]?.at ?? Infinity) <= at; nextPlace++) canonical.write(places[nextPlace]?.kind ?? 0);
    const op = reader.byte();
    const sub = skipImmediates(reader, op);
    pay(((op === 0xfc ? miscCost[sub] : op === 0xfd ? simdCost[sub] : cost[op]) ?? 0) as number);
    if (op === 0x40) {
      local(Op.localSet);
      // size + delta <= pages ? pay and grow : -1
      out.put(Op.memorySize, 0, Op.i64ExtendI32U);
      local(Op.localGet);
      out.put(Op.i64ExtendI32U, Op.i64Add, Op.globalGet);
      out.u32(pages);
      out.put(Op.i64ExtendI32U, Op.i64GtU, Op.if, 0x7f, Op.i32Const, 0x7f, Op.else);
      local(Op.localGet);
      payLength(memoryPageCost);
      out.put(Op.memoryGrow, 0, Op.end);
      continue;
    }
    if (op === 0xfc) {
      if (sub === Misc.memoryInit || sub === Misc.memoryCopy || sub === Misc.memoryFill) payLength(-bulkBytesPerUnit);
      if (sub === Misc.tableInit || sub === Misc.tableCopy || sub === Misc.tableFill) payLength(tableEntryCost);
      if (sub === Misc.tableGrow) payLength(tableEntryCost, defaultLimits.tableEntriesMax);
    }
    out.copy(bytes, at, reader.pos);
  }
  return out;
}

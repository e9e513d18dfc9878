import { entryCost } from '../../provider/metering/costs.ts';
import { Event } from '../../provider/metering/events.ts';
import { defaultLimits } from '../../provider/metering/limits.ts';
import { parseModule } from '../../provider/metering/parse.ts';
import { Reader } from '../../provider/metering/reader.ts';
import { Scanner } from '../../provider/metering/scan.ts';
import { Op } from '../../provider/metering/wasm.ts';
import { Writer } from '../../provider/metering/writer.ts';

const opensBlock = new Set<number>([Event.block, Event.loop, Event.if, Event.else, Event.end, Event.brIf]);
const endsBlock = new Set<number>([...opensBlock, Event.br, Event.brTable, Event.return, Event.unreachable]);

/**
 * The peer: what the common injectors do. Fuel is a mutable global, and every basic block pays for itself at its start and
 * checks. It bounds neither lengths nor stack nor NaNs.
 */
export function injectGlobalPerBlock(bytes: Uint8Array): Uint8Array {
  const module = parseModule(bytes, defaultLimits);
  const scanner = new Scanner(module, defaultLimits, false);
  const fuel = module.globals.length;
  const code = new Writer(bytes.length * 2);
  code.u32(module.bodies.length);
  for (const [index, body] of module.bodies.entries()) {
    const { first, last } = scanner.scan(body, module.functions[module.imports.length + index] as number);
    const { kind, next, cost } = scanner.events;
    const out = new Writer((body.end - body.start) * 2);
    const charge = (from: number, extra: number): void => {
      let due = extra;
      for (let e = from; e < last; e++) {
        due += cost[e] as number;
        if (endsBlock.has(kind[e] as number)) break;
      }
      if (due > 0) pay(out, fuel, due);
    };
    out.copy(bytes, body.start, body.code);
    charge(first, entryCost);
    let cursor = body.code;
    for (let e = first; e < last; e++) {
      out.copy(bytes, cursor, next[e] as number);
      cursor = next[e] as number;
      if (opensBlock.has(kind[e] as number) && e < last - 1) charge(e + 1, 0);
    }
    code.u32(out.length);
    code.append(out);
  }
  return withCode(bytes, code, fuel);
}

function pay(out: Writer, fuel: number, due: number): void {
  out.put(Op.globalGet);
  out.u32(fuel);
  out.put(Op.i64Const);
  out.signed(due);
  out.put(Op.i64Sub, Op.globalSet);
  out.u32(fuel);
  out.put(Op.globalGet);
  out.u32(fuel);
  out.put(Op.i64Const, 0, Op.i64LtS, Op.if, Op.empty, Op.unreachable, Op.end);
}

/** The module with another code section and an exported fuel global behind its own. */
function withCode(bytes: Uint8Array, code: Writer, fuel: number): Uint8Array {
  const out = new Writer(bytes.length + code.length);
  out.copy(bytes, 0, 8);
  const reader = new Reader(bytes, 8);
  let globalsDone = false;
  const globals = (count: number, start: number, end: number): void => {
    const content = new Writer();
    content.u32(count + 1);
    content.copy(bytes, start, end);
    content.put(0x7e, 1, Op.i64Const, 0, Op.end);
    out.section(6, content);
    globalsDone = true;
  };
  while (reader.pos < bytes.length) {
    const at = reader.pos;
    const id = reader.byte();
    const end = reader.u32() + reader.pos;
    const inner = new Reader(bytes, reader.pos, end);
    reader.pos = end;
    if (id === 0) continue;
    if (id > 6 && !globalsDone) globals(0, 0, 0);
    if (id === 6) globals(inner.u32(), inner.pos, end);
    else if (id === 7) {
      const content = new Writer();
      content.u32(inner.u32() + 1);
      content.copy(bytes, inner.pos, end);
      content.name('workswap_fuel');
      content.put(3);
      content.u32(fuel);
      out.section(7, content);
    } else if (id === 10) out.section(10, code);
    else out.copy(bytes, at, end);
  }
  return out.take();
}

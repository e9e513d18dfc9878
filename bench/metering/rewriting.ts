import { parseModule } from '../../provider/metering/parse.ts';
import { defaultLimits, meter } from '../../provider/metering/index.ts';
import { Reader } from '../../provider/metering/reader.ts';
import { Writer } from '../../provider/metering/writer.ts';
import { median, spread } from '../measure.ts';
import type { Figure } from '../types.ts';
import { geomean } from './overhead.ts';
import { listPrograms, readLayout } from './programs.ts';

const rounds = 15;
const largeBytes = 1_000_000;
/** Compiled from Rust, with the standard library: the widest mix of code in the corpus. */
const largeFrom = 'words.speed';

/** How fast bytes become metered bytes, how many there are then, and how soon a large module stands ready. */
export function measureRewriting(): Figure[] {
  const layouts = listPrograms().flatMap((program) => program.layouts);
  const sizes = layouts.map((layout) => {
    const bytes = readLayout(layout);
    return { before: codeBytes(bytes), after: codeBytes(meter(bytes).bytes) };
  });
  const growth = sizes.map(({ before, after }) => after / before);
  const sum = (key: 'before' | 'after'): number => sizes.reduce((total, size) => total + size[key], 0);
  const large = enlarge(readLayout(largeFrom), largeBytes);
  const rates: number[] = [];
  const readyMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const { bytes } = meter(large);
    const metered = performance.now();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>));
    if (instance.exports['run'] === undefined) throw new Error('the large module does not stand ready');
    readyMs.push(performance.now() - started);
    rates.push(large.length / 1e6 / ((metered - started) / 1000));
  }
  const [first] = readyMs.splice(0, 3);
  rates.splice(0, 3);
  return [
    {
      name: 'codeGrowth',
      value: sum('after') / sum('before'),
      unit: 'ratio',
      better: 'lower',
      goal: 1.5,
      spread: spread(growth),
      note: `code sections of all layouts together; geometric mean ${geomean(growth).toFixed(2)}, as the kernels are of some hundred bytes`,
    },
    {
      name: 'rewriteMBps',
      value: median(rates),
      unit: 'MB/s',
      better: 'higher',
      goal: 20,
      spread: spread(rates),
      note: `${(large.length / 1e6).toFixed(1)} MB of functions compiled from Rust, validated and rewritten`,
    },
    {
      name: 'readyMs1MB',
      value: median(readyMs),
      unit: 'ms',
      better: 'lower',
      goal: 150,
      spread: spread(readyMs),
      note: `from bytes to an instance: validated, rewritten, compiled; the very first time ${Math.round(first ?? 0)} ms`,
    },
  ];
}

/** Bytes of the code section. */
function codeBytes(bytes: Uint8Array): number {
  const reader = new Reader(bytes, 8);
  while (reader.pos < bytes.length) {
    const id = reader.byte();
    const size = reader.u32();
    if (id === 10) return size;
    reader.pos += size;
  }
  return 0;
}

/** A module of about so many bytes with the same functions over and over, the copies calling the first ones. */
function enlarge(bytes: Uint8Array, size: number): Uint8Array {
  const module = parseModule(bytes, defaultLimits);
  const times = Math.ceil(size / codeBytes(bytes));
  const reader = new Reader(bytes, 8);
  const out = new Writer(size * 2);
  out.copy(bytes, 0, 8);
  while (reader.pos < bytes.length) {
    const at = reader.pos;
    const id = reader.byte();
    const end = reader.u32() + reader.pos;
    if (id === 3 || id === 10) {
      const count = reader.u32();
      const content = new Writer(size);
      content.u32(count * times);
      for (let time = 0; time < times; time++) content.copy(bytes, reader.pos, end);
      out.section(id, content);
    } else if (id !== 0) out.copy(bytes, at, end);
    reader.pos = end;
  }
  if (module.bodies.length * times > defaultLimits.functionsMax) throw new Error('too many functions');
  return out.take();
}

import { meter } from '../meter.ts';
import type { MeterOptions, MeteredModule } from '../meter.ts';
import { meterNaively } from './reference.ts';
import { digest, runMetered } from './run.ts';
import type { Imports, Outcome } from './run.ts';

const hostCost = 7n;

/** Host functions that answer from their arguments alone, and charge for their work by taking from the fuel. */
export function hostFunctions(metered: MeteredModule): (exports: () => WebAssembly.Exports) => Imports {
  return (exports) => {
    const imports: Imports = {};
    for (const { module, name, results } of metered.imports) {
      const kinds = results === '' ? [] : results.split(',');
      const from = (imports[module] ??= {});
      from[name] = (...args: unknown[]) => {
        const fuel = exports()['workswap_fuel'] as WebAssembly.Global<'i64'> | undefined;
        if (fuel !== undefined) fuel.value -= hostCost;
        const seed = args.reduce<number>((sum, arg) => sum + (Number(arg) % 1000 || 0), 3);
        const values = kinds.map((kind, index) => answer(kind, Math.trunc(seed) + index));
        return values.length > 1 ? values : values[0];
      };
    }
    return imports;
  };
}

function answer(kind: string, value: number): unknown {
  if (kind === 'i64') return BigInt(value);
  if (kind === 'funcref' || kind === 'externref') return null;
  return value;
}

export function argument(type: number | string, seed: number): unknown {
  if (type === 0x7e || type === 'i64') return BigInt(seed * 7 - 3);
  if (type === 0x70 || type === 0x6f || type === 'funcref' || type === 'externref') return null;
  return seed;
}

/** What differs between the metered module and its reference; empty when nothing does. */
export function compareWithReference(
  bytes: Uint8Array,
  calls: readonly { name: string; args: readonly unknown[] }[],
  fuelMax: bigint,
  options: MeterOptions = {},
): { differences: string[]; completed: number; stopped: number; trapped: number } {
  const metered = meter(bytes, options);
  const ours = new WebAssembly.Module(metered.bytes as Uint8Array<ArrayBuffer>);
  const naive = new WebAssembly.Module(meterNaively(bytes) as Uint8Array<ArrayBuffer>);
  const host = hostFunctions(metered);
  const differences: string[] = [];
  const tally = { completed: 0, stopped: 0, trapped: 0 };
  for (const { name, args } of calls) {
    const want = runMetered(naive, name, args, fuelMax, host);
    const got = runMetered(ours, name, args, fuelMax, host);
    const tell = (what: string) =>
      differences.push(`${name}(${args.map(String).join()}): ${what}: wanted ${show(want)}, got ${show(got)}`);
    if (want.kind === 'completed') tally.completed++;
    else if (want.kind === 'trapped') tally.trapped++;
    else tally.stopped++;
    if (got.kind === 'tooDeep' || want.kind === 'tooDeep') continue;
    if (!agrees(want, got)) {
      tell('another outcome');
      continue;
    }
    if (want.kind !== 'completed') continue;
    const plain = runPlain(bytes, name, args, host);
    if (plain !== show({ ...want, fuelUsed: 0n })) tell(`behaves otherwise than unmetered, ${plain}`);
    const exact = runMetered(ours, name, args, want.fuelUsed, host);
    if (exact.kind !== 'completed') tell(`does not complete with exactly what it needs, ${show(exact)}`);
    const short = runMetered(ours, name, args, want.fuelUsed - 1n, host);
    if (short.kind !== 'outOfFuel') tell(`does not run out with one less than it needs, ${show(short)}`);
  }
  return { differences, ...tally };
}

/** The module as it came, which is known to end. */
function runPlain(
  bytes: Uint8Array,
  name: string,
  args: readonly unknown[],
  host: (exports: () => WebAssembly.Exports) => Imports,
): string {
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  let exports: WebAssembly.Exports = {};
  const instance = new WebAssembly.Instance(module, host(() => exports) as WebAssembly.Imports);
  exports = instance.exports;
  const results = (exports[name] as (...args: readonly unknown[]) => unknown)(...args);
  return show({ kind: 'completed', results, fuelUsed: 0n, memory: digest(exports) });
}

function agrees(want: Outcome, got: Outcome): boolean {
  // Charges are merged: the stop comes at the next check, which may stand behind a trap, or before one.
  if (want.kind === 'outOfFuel') return got.kind === 'outOfFuel' || got.kind === 'trapped';
  if (want.kind === 'trapped') return got.kind === 'trapped' || got.kind === 'outOfFuel';
  return show(want) === show(got);
}

function show(outcome: Outcome): string {
  return JSON.stringify(outcome, (_, value: unknown) =>
    typeof value === 'bigint' || typeof value === 'number' ? String(value) : value,
  );
}

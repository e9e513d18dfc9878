import { meter } from '../meter.ts';
import type { MeterOptions, MeteredModule } from '../meter.ts';
import { meterNaively } from './reference.ts';
import { runMetered, runPlain } from './run.ts';
import type { Imports, MakeImports, Outcome } from './run.ts';

const hostCost = 7n;
/** More than any run that the reference ends within its own limit can owe, paid ahead and all. */
const plenty = 1n << 50n;

/** Host functions that answer from their arguments alone, and charge for their work by taking from the fuel. */
export function hostFunctions(metered: MeteredModule): MakeImports {
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

export function argument(type: string, seed: number): unknown {
  if (type === 'i64') return BigInt(seed * 7 - 3);
  if (type === 'funcref' || type === 'externref') return null;
  return seed;
}

export interface Call {
  name: string;
  args: readonly unknown[];
}

/** A call of every exported function that JavaScript can call. */
export function callsOf(bytes: Uint8Array, seed: number): Call[] {
  return meter(bytes)
    .exports.filter(({ kind, params, results }) => kind === 'func' && !`${params},${results}`.includes('v128'))
    .map(({ name, params }) => ({
      name,
      args: params === '' ? [] : (params ?? '').split(',').map((type, index) => argument(type, index * 3 + (seed % 5))),
    }));
}

export interface Comparison {
  /** What differs between the metered module, its reference and the module as it came; empty when nothing does. */
  differences: string[];
  completed: number;
  stopped: number;
  trapped: number;
  /** Of these nothing is compared: engines differ in how deep they go, and the meter goes less deep. */
  tooDeep: number;
}

export interface CompareOptions extends MeterOptions {
  /**
   * For modules that may show NaNs, whose bits the meter makes canonical: the reference does so too, and what the module
   * does unmetered is not compared.
   */
  canonicalNans?: boolean;
}

/**
 * Calls that complete must burn what the reference counts and leave the host what they leave it unmetered; with just so
 * much fuel they complete, with one less they do not. Calls that trap must trap alike and leave the same memory.
 */
export function compareWithReference(
  bytes: Uint8Array,
  calls: readonly Call[],
  fuelMax: bigint,
  { canonicalNans = false, ...options }: CompareOptions = {},
): Comparison {
  const metered = meter(bytes, options);
  const ours = compile(metered.bytes);
  const naive = compile(meterNaively(bytes, { canonicalNans }));
  const plain = compile(bytes);
  const host = hostFunctions(metered);
  const differences: string[] = [];
  const tally = { completed: 0, stopped: 0, trapped: 0, tooDeep: 0 };
  for (const { name, args } of calls) {
    const want = runMetered(naive, name, args, fuelMax, host);
    const got = runMetered(ours, name, args, want.kind === 'trapped' ? plenty : fuelMax, host);
    const differs = (what: string, from: Outcome, to: Outcome) =>
      differences.push(`${name}(${args.map(String).join()}) ${what}: wanted ${show(from)}, got ${show(to)}`);
    if (got.kind === 'tooDeep' || want.kind === 'tooDeep') {
      tally.tooDeep++;
    } else if (want.kind === 'outOfFuel') {
      tally.stopped++;
      // Charges are merged: the stop comes at the next check, which may stand behind a trap.
      if (got.kind === 'completed') differs('completes without the fuel for it', want, got);
    } else if (want.kind === 'trapped') {
      tally.trapped++;
      const unmetered = canonicalNans ? want : runPlain(plain, name, args, host);
      // A start function that traps leaves no instance to look at where it runs at instantiation.
      const expected = unmetered.state === '' ? { ...got, state: '' } : got;
      if (show(unmetered) !== show(expected)) differs('traps otherwise than unmetered', unmetered, got);
    } else {
      tally.completed++;
      if (show(want) !== show(got)) differs('burns or leaves something else than the reference', want, got);
      const expected = { ...want, fuelUsed: 0n };
      const unmetered = canonicalNans ? expected : runPlain(plain, name, args, host);
      if (show(unmetered) !== show(expected)) differs('behaves otherwise than unmetered', unmetered, want);
      const exact = runMetered(ours, name, args, want.fuelUsed, host);
      if (exact.kind !== 'completed') differs('does not complete with exactly what it needs', want, exact);
      const short = runMetered(ours, name, args, want.fuelUsed - 1n, host);
      if (short.kind !== 'outOfFuel') differs('does not run out with one less than it needs', want, short);
    }
  }
  return { differences, ...tally };
}

function compile(bytes: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
}

function show(outcome: Outcome): string {
  return JSON.stringify(outcome, (_, value: unknown) => {
    if (typeof value === 'function') return 'a function';
    if (Object.is(value, -0)) return '-0';
    return typeof value === 'bigint' || typeof value === 'number' ? String(value) : value;
  });
}

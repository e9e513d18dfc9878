import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { MeteredModule } from '../meter.ts';

/**
 * Metered modules with calls, as JSON, so that any engine can run them: other tiers in other processes, wasmtime in
 * Python. Every runner answers with the same outcomes or is wrong. `test/interop/metering/run_cases.py` is the second
 * runner: both have to be changed together.
 */
export interface Case {
  name: string;
  /** The metered module, in base64. */
  wasm: string;
  fuel: string;
  imports: CaseImport[];
  calls: CaseCall[];
  /** What the imports do: one by one what was recorded, or else an answer made from the arguments. */
  replay?: HostCall[];
}

export interface CaseImport {
  module: string;
  name: string;
  results: string[];
}

export interface CaseCall {
  export: string;
  /** Value types and values in decimal. */
  args: [type: string, value: string][];
  results: string[];
}

/** A call of an import as it went in one engine: what is asked with which memory, and what the host does then. */
export interface HostCall {
  name: string;
  args: string[];
  memoryCrc: number;
  results: string[];
  fuelTaken: string;
  writes: [at: number, base64: string][];
}

export interface CaseOutcome {
  /**
   * `notInstantiated`: an active segment lies outside of its memory or table. `engineStack`: the engine's own stack ended,
   * which the meter should have prevented. `otherHostCall`: the host was asked something else than what was recorded.
   */
  kind: 'completed' | 'trapped' | 'outOfFuel' | 'tooDeep' | 'notInstantiated' | 'engineStack' | 'otherHostCall';
  /** Bits of each result in hexadecimal. */
  results: string[];
  fuelLeft: string;
  memorySha256: string;
}

const hostCost = 7n;

type Value = number | bigint;

/** A metered module as a case: every export that takes and gives numbers is called. */
export function caseOf(name: string, metered: MeteredModule, fuel: bigint, seed = 0): Case {
  const calls = metered.exports
    .filter(({ kind, params, results }) => kind === 'func' && !/v128|ref/.test(`${params},${results}`))
    .map((entry) => ({
      export: entry.name,
      args: typesOf(entry.params).map((type, index): [string, string] => [type, String(index * 21 - 3 + (seed % 5))]),
      results: typesOf(entry.results),
    }));
  return {
    name,
    wasm: Buffer.from(metered.bytes).toString('base64'),
    fuel: String(fuel),
    imports: metered.imports.map((entry) => ({
      module: entry.module,
      name: entry.name,
      results: typesOf(entry.results),
    })),
    calls,
  };
}

export function typesOf(signature: string | undefined): string[] {
  return signature === undefined || signature === '' ? [] : signature.split(',');
}

/** Every call of the case, in an instance of its own. */
export function runCase(one: Case): CaseOutcome[] {
  const module = new WebAssembly.Module(Buffer.from(one.wasm, 'base64'));
  return one.calls.map((call) => runCall(module, one, call));
}

function runCall(module: WebAssembly.Module, one: Case, call: CaseCall): CaseOutcome {
  const host = new CaseHost(one.replay);
  let exports: WebAssembly.Exports;
  try {
    ({ exports } = new WebAssembly.Instance(module, host.imports(one.imports)));
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return { kind: 'notInstantiated', results: [], fuelLeft: '', memorySha256: '' };
  }
  host.exports = exports;
  const left = exports['workswap_fuel'] as WebAssembly.Global<'i64'>;
  const end = (kind: CaseOutcome['kind'], results: string[] = []): CaseOutcome => ({
    kind,
    results,
    fuelLeft: String(left.value),
    memorySha256: createHash('sha256').update(host.memory).digest('hex'),
  });
  left.value = BigInt(one.fuel);
  try {
    for (const first of ['workswap_start', '_start']) {
      if (first !== call.export) (exports[first] as (() => void) | undefined)?.();
    }
    const answer = (exports[call.export] as (...args: Value[]) => unknown)(
      ...call.args.map(([type, value]) => (type === 'i64' ? BigInt(value) : Number(value))),
    );
    const values = call.results.length > 1 ? (answer as Value[]) : [answer as Value];
    if (left.value < 0n) return end('outOfFuel');
    return end(
      'completed',
      call.results.map((type, index) => bitsOf(type, values[index] as Value)),
    );
  } catch (error) {
    if (error instanceof OtherHostCallError) return end('otherHostCall');
    if (error instanceof RangeError) return end('engineStack');
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    if ((exports['workswap_stack'] as WebAssembly.Global<'i32'>).value < 0) return end('tooDeep');
    return end(left.value < 0n ? 'outOfFuel' : 'trapped');
  }
}

class OtherHostCallError extends Error {}

class CaseHost {
  exports: WebAssembly.Exports = {};
  private readonly recorded: readonly HostCall[] | undefined;
  private next = 0;

  constructor(recorded: readonly HostCall[] | undefined) {
    this.recorded = recorded;
  }

  get memory(): Uint8Array {
    const memory = Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory);
    return new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
  }

  imports(entries: readonly CaseImport[]): WebAssembly.Imports {
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { module, name, results } of entries) {
      (imports[module] ??= {})[name] = (...args: Value[]) => {
        const values = this.call(name, results, args);
        return values.length > 1 ? values : values[0];
      };
    }
    return imports;
  }

  private call(name: string, results: readonly string[], args: Value[]): Value[] {
    const fuel = this.exports['workswap_fuel'] as WebAssembly.Global<'i64'>;
    if (this.recorded === undefined) {
      fuel.value -= hostCost;
      const answer = answerTo(args);
      return results.map((type, index) => numberOf(type, answer + index));
    }
    const call = this.recorded[this.next++];
    if (call?.name !== name || call.args.join() !== args.map(String).join() || call.memoryCrc !== crc32(this.memory)) {
      throw new OtherHostCallError();
    }
    fuel.value -= BigInt(call.fuelTaken);
    for (const [at, bytes] of call.writes) this.memory.set(Buffer.from(bytes, 'base64'), at);
    return results.map((type, index) => numberOf(type, call.results[index] ?? '0'));
  }
}

/** A number from 0 to 999 made of the arguments, so that a wrong one shows. */
function answerTo(args: readonly Value[]): number {
  let sum = 3n;
  for (const arg of args) {
    if (typeof arg === 'bigint') sum += arg;
    else if (Number.isFinite(arg) && Math.abs(arg) < 2 ** 31) sum += BigInt(Math.trunc(arg));
  }
  return Number(((sum % 1000n) + 1000n) % 1000n);
}

function numberOf(type: string, value: number | string): Value {
  return type === 'i64' ? BigInt(value) : Number(value);
}

function bitsOf(type: string, value: Value): string {
  const view = new DataView(new ArrayBuffer(8));
  if (type === 'i64') view.setBigInt64(0, value as bigint);
  else if (type === 'f64') view.setFloat64(0, value as number);
  else if (type === 'f32') view.setFloat32(4, value as number);
  else view.setInt32(4, Number(value));
  return view.getBigUint64(0).toString(16);
}

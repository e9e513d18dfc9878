export type Outcome =
  | { kind: 'completed'; results: unknown; fuelUsed: bigint; state: string }
  | { kind: 'outOfFuel'; state: string }
  | { kind: 'tooDeep'; state: string }
  /** `reason` is the engine's word for it. */
  | { kind: 'trapped'; reason: string; state: string };

export type Imports = Record<string, Record<string, (...args: never[]) => unknown>>;
export type MakeImports = (exports: () => WebAssembly.Exports) => Imports;

/** Runs one export of a metered module with so much fuel, in an instance of its own. */
export function runMetered(
  module: WebAssembly.Module,
  name: string,
  args: readonly unknown[],
  fuel: bigint,
  makeImports: MakeImports = () => ({}),
): Outcome {
  return run(module, name, args, fuel, makeImports);
}

/** Runs one export of a module as it came. It has to be known to end. */
export function runPlain(
  module: WebAssembly.Module,
  name: string,
  args: readonly unknown[],
  makeImports: MakeImports = () => ({}),
): Outcome {
  return run(module, name, args, undefined, makeImports);
}

function run(
  module: WebAssembly.Module,
  name: string,
  args: readonly unknown[],
  fuel: bigint | undefined,
  makeImports: MakeImports,
): Outcome {
  let exports: WebAssembly.Exports = {};
  let left: WebAssembly.Global<'i64'> | undefined;
  try {
    exports = new WebAssembly.Instance(module, makeImports(() => exports) as WebAssembly.Imports).exports;
    if (fuel !== undefined) {
      left = exports['workswap_fuel'] as WebAssembly.Global<'i64'>;
      left.value = fuel;
    }
    (exports['workswap_start'] as (() => void) | undefined)?.();
    // Where a compiler puts what has to run before anything else.
    if (name !== '_start') (exports['_start'] as (() => void) | undefined)?.();
    const results = (exports[name] as (...args: readonly unknown[]) => unknown)(...args);
    if (left !== undefined && left.value < 0n) return { kind: 'outOfFuel', state: stateOf(exports) };
    return { kind: 'completed', results, fuelUsed: (fuel ?? 0n) - (left?.value ?? 0n), state: stateOf(exports) };
  } catch (error) {
    const state = stateOf(exports);
    if (error instanceof RangeError) return { kind: 'tooDeep', state };
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    const stack = exports['workswap_stack'] as WebAssembly.Global<'i32'> | undefined;
    if (stack !== undefined && stack.value < 0) return { kind: 'tooDeep', state };
    if (left !== undefined && left.value < 0n) return { kind: 'outOfFuel', state };
    return { kind: 'trapped', reason: error.message, state };
  }
}

/** All that the host can see afterwards: memory, exported globals and tables. */
function stateOf(exports: WebAssembly.Exports): string {
  let text = '';
  for (const [name, value] of Object.entries(exports)) {
    if (name.startsWith('workswap_')) continue;
    if (value instanceof WebAssembly.Global) text += `${name}=${globalText(value)};`;
    if (value instanceof WebAssembly.Memory) {
      const words = new Int32Array(value.buffer);
      let hash = 17;
      for (const word of words) hash = (Math.imul(hash, 31) + word) | 0;
      text += `${name}:${words.length}:${hash};`;
    }
    if (value instanceof WebAssembly.Table) {
      const filled = Array.from({ length: value.length }, (_, index) => (value.get(index) === null ? '.' : 'f'));
      text += `${name}:${filled.join('')};`;
    }
  }
  return text;
}

function globalText(global: WebAssembly.Global): string {
  try {
    const value: unknown = global.value;
    return typeof value === 'function' ? 'f' : Object.is(value, -0) ? '-0' : String(value);
  } catch {
    return 'v128'; // which JavaScript cannot read
  }
}

export type Outcome =
  | { kind: 'completed'; results: unknown; fuelUsed: bigint; memory: string }
  | { kind: 'outOfFuel'; memory: string }
  | { kind: 'tooDeep'; memory: string }
  | { kind: 'trapped'; memory: string };

export type Imports = Record<string, Record<string, (...args: never[]) => unknown>>;

/** Runs one export of a metered module with so much fuel, in an instance of its own. */
export function runMetered(
  module: WebAssembly.Module,
  name: string,
  args: readonly unknown[],
  fuel: bigint,
  makeImports: (exports: () => WebAssembly.Exports) => Imports = () => ({}),
): Outcome {
  let exports: WebAssembly.Exports = {};
  const instance = new WebAssembly.Instance(module, makeImports(() => exports) as WebAssembly.Imports);
  exports = instance.exports;
  const left = exports['workswap_fuel'] as WebAssembly.Global<'i64'>;
  const stack = exports['workswap_stack'] as WebAssembly.Global<'i32'> | undefined;
  left.value = fuel;
  try {
    (exports['workswap_start'] as (() => void) | undefined)?.();
    const results = (exports[name] as (...args: readonly unknown[]) => unknown)(...args);
    if (left.value < 0n) return { kind: 'outOfFuel', memory: digest(exports) };
    return { kind: 'completed', results, fuelUsed: fuel - left.value, memory: digest(exports) };
  } catch (error) {
    const memory = digest(exports);
    if (error instanceof RangeError) return { kind: 'tooDeep', memory };
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    if (stack !== undefined && stack.value < 0) return { kind: 'tooDeep', memory };
    return left.value < 0n ? { kind: 'outOfFuel', memory } : { kind: 'trapped', memory };
  }
}

/** A number for all that the host can see afterwards: memory and exported globals. */
export function digest(exports: WebAssembly.Exports): string {
  let text = '';
  for (const [name, value] of Object.entries(exports)) {
    if (name.startsWith('workswap_')) continue;
    if (value instanceof WebAssembly.Global) text += `${name}=${String(value.value)};`;
    if (value instanceof WebAssembly.Memory) {
      const words = new Int32Array(value.buffer);
      let hash = 17;
      for (const word of words) hash = (Math.imul(hash, 31) + word) | 0;
      text += `${name}:${words.length}:${hash};`;
    }
  }
  return text;
}

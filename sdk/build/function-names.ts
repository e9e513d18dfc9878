import { customSection, readLength } from './sections.ts';

/** A function's name longer than this is cut: names are shown to people. */
const NAME_BYTES_MAX = 1_000;
const FUNCTION_NAMES = 1;

/** The field of a source map that holds the functions' names by index. Names that start with `x_` are free for such use. */
export const NAMES_FIELD = 'x_workswap_functions';

/** Functions' names from a module's name section. A module without one, or with a broken one, has none. */
export function functionNames(wasm: Uint8Array): Map<number, string> {
  const names = new Map<number, string>();
  try {
    const section = customSection(wasm, 'name');
    if (section === undefined) return names;
    for (let at = 0; at < section.length;) {
      const id = section[at];
      const [size, start] = readLength(section, at + 1);
      at = start + size;
      if (id === FUNCTION_NAMES) readNames(section.subarray(start, at), names);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return names;
}

function readNames(bytes: Uint8Array, names: Map<number, string>): void {
  const utf8 = new TextDecoder();
  let [count, at] = readLength(bytes, 0);
  for (; count > 0 && at < bytes.length; count--) {
    const [index, lengthAt] = readLength(bytes, at);
    const [length, start] = readLength(bytes, lengthAt);
    at = start + length;
    names.set(index, utf8.decode(bytes.subarray(start, start + Math.min(length, NAME_BYTES_MAX))));
  }
}

/** Adds the names of a module's functions to its source map, so that the module itself can do without them. */
export function withFunctionNames(sourceMap: string, wasm: Uint8Array): string {
  const map = JSON.parse(sourceMap) as Record<string, unknown>;
  return JSON.stringify({ ...map, [NAMES_FIELD]: Object.fromEntries(functionNames(wasm)) });
}

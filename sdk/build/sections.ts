/** The id of custom sections, the only kind that no engine needs. */
const CUSTOM = 0;

/**
 * Removes the custom sections of a module that the compiler just made, but for those named in `keep`. Names of
 * functions are worth their bytes in a profile and nowhere else.
 */
export function stripCustomSections(wasm: Uint8Array, keep: readonly string[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(wasm.length);
  out.set(wasm.subarray(0, 8));
  let length = 8;
  for (let at = 8; at < wasm.length;) {
    const start = at;
    const id = wasm[at];
    const [size, bodyAt] = readLength(wasm, at + 1);
    at = bodyAt + size;
    if (id === CUSTOM) {
      const [nameLength, nameAt] = readLength(wasm, bodyAt);
      if (!keep.includes(new TextDecoder().decode(wasm.subarray(nameAt, nameAt + nameLength)))) continue;
    }
    out.set(wasm.subarray(start, at), length);
    length += at - start;
  }
  return out.slice(0, length);
}

/** The content of the first custom section of this name, behind the name. */
export function customSection(wasm: Uint8Array, name: string): Uint8Array | undefined {
  for (let at = 8; at < wasm.length;) {
    const id = wasm[at];
    const [size, bodyAt] = readLength(wasm, at + 1);
    at = bodyAt + size;
    if (id !== CUSTOM) continue;
    const [nameLength, nameAt] = readLength(wasm, bodyAt);
    const end = nameAt + nameLength;
    if (new TextDecoder().decode(wasm.subarray(nameAt, end)) === name) return wasm.subarray(end, at);
  }
  return undefined;
}

/** An unsigned LEB128 of at most 32 bits and where it ends. Throws a RangeError where it does not. */
export function readLength(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined || shift > 28) throw new RangeError('a section of the module ends too early');
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

/**
 * UTF-8 as handlers read it: every byte that is no part of a valid character is U+FFFD. Written for being obviously
 * right: it asks the platform about each candidate.
 */
export function decodeLossy(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    if (bytes[at]! < 0x80) {
      text += String.fromCharCode(bytes[at++]!);
      continue;
    }
    const size = [2, 3, 4].find((count) => isCharacter(bytes.subarray(at, at + count), count));
    text +=
      size === undefined
        ? '\ufffd'
        : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(at, at + size));
    at += size ?? 1;
  }
  return text;
}

function isCharacter(bytes: Uint8Array, size: number): boolean {
  if (bytes.length !== size) return false;
  try {
    return [...new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)].length === 1;
  } catch {
    return false;
  }
}

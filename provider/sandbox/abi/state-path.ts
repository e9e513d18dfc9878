import { JobEnd } from '../errors.ts';
import { ABI_LIMITS } from './limits.ts';

const SLASH = 0x2f;
const DOT = 0x2e;

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The path of a file or directory in the state, out of the bytes that a handler passed: segments joined by `/`. The empty
 * path is the root directory, where `rootAllowed`.
 *
 * @throws JobEnd INVALID_PATH
 */
export function decodePath(bytes: Uint8Array, rootAllowed: boolean): string {
  if (bytes.length === 0) {
    if (rootAllowed) return '';
    throw invalid('it is empty, and the root directory is always there');
  }
  if (bytes.length > ABI_LIMITS.pathBytesMax) throw invalid(`it has more than ${ABI_LIMITS.pathBytesMax} bytes`);
  let segments = 0;
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== SLASH) continue;
    assertSegment(bytes.subarray(start, at));
    segments += 1;
    start = at + 1;
  }
  if (segments > ABI_LIMITS.pathSegmentsMax) {
    throw invalid(`it has more than ${ABI_LIMITS.pathSegmentsMax} segments`);
  }
  return textOf(bytes);
}

/** A name in a directory; the empty one, which is before all others, is allowed. */
export function decodeName(bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  if (bytes.includes(SLASH)) throw invalid('a name has no "/"');
  assertSegment(bytes);
  return textOf(bytes);
}

function assertSegment(bytes: Uint8Array): void {
  if (bytes.length === 0) throw invalid('a segment is empty');
  if (bytes.length > ABI_LIMITS.nameBytesMax) {
    throw invalid(`a segment has more than ${ABI_LIMITS.nameBytesMax} bytes`);
  }
  if (bytes[0] === DOT && (bytes.length === 1 || (bytes.length === 2 && bytes[1] === DOT))) {
    throw invalid('a segment is "." or ".."');
  }
  if (bytes.includes(0)) throw invalid('there is a NUL in it');
}

function textOf(bytes: Uint8Array): string {
  try {
    return strictText.decode(bytes);
  } catch {
    throw invalid('it is not UTF-8');
  }
}

/** Orders names as their UTF-8 bytes are, which is the order of code points and not that of UTF-16. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Code points beyond 16 bits are written with surrogates, which must come behind all other units. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

function invalid(reason: string): JobEnd {
  return new JobEnd('INVALID_PATH', `The handler passed a path that no file of a state can have: ${reason}.`);
}

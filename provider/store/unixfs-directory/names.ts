import { murmur364 } from '@multiformats/murmur3';
import { NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_SEGMENTS_MAX } from './constants.ts';
import { DirectoryError } from './errors.ts';

const encoder = new TextEncoder();

/** Orders names as their UTF-8 bytes are, which is the order of code points and not that of UTF-16. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

/** Code points beyond 16 bits are written with surrogates, which come behind all other units. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/**
 * Eight bytes; the first chooses the slot in the topmost shard. Kubo's murmur3-x64-64: the first half of the 128 bits as a
 * big-endian number.
 */
export function nameHash(name: string): Uint8Array {
  return murmur364.encode(encoder.encode(name)) as Uint8Array;
}

/** Why no file of a state can have this name; undefined when it can. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'a segment is empty';
  if (name === '.' || name === '..') return 'a segment is "." or ".."';
  if (name.includes('/')) return 'a name has no "/"';
  if (name.includes('\0')) return 'there is a NUL in it';
  if (!name.isWellFormed()) return 'it is not Unicode';
  if (name.length > NAME_BYTES_MAX / 3 && Buffer.byteLength(name) > NAME_BYTES_MAX) {
    return `a segment has more than ${NAME_BYTES_MAX} bytes`;
  }
  return undefined;
}

/** @throws DirectoryError INVALID_PATH */
export function splitPath(path: string): string[] {
  if (path === '') return [];
  const segments = path.split('/');
  const fault =
    segments.length > PATH_SEGMENTS_MAX
      ? `it has more than ${PATH_SEGMENTS_MAX} segments`
      : path.length > PATH_BYTES_MAX / 3 && Buffer.byteLength(path) > PATH_BYTES_MAX
        ? `it has more than ${PATH_BYTES_MAX} bytes`
        : segments.map(nameFault).find((reason) => reason !== undefined);
  if (fault === undefined) return segments;
  throw new DirectoryError(
    'INVALID_PATH',
    `No file of a state has the path ${JSON.stringify(path.slice(0, 128))}: ${fault}.`,
  );
}

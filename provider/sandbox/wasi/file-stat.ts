import { FILE_TYPE } from './constants.ts';
import { DIRENT_BYTES } from './files.ts';

const encoder = new TextEncoder();

/** Writes a `filestat` into zeros. A state has neither devices nor links nor times. */
export function writeFileStat(view: DataView, type: number, path: string, size: number): void {
  view.setBigUint64(8, inodeOf(path), true);
  view.setUint8(16, type);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, BigInt(size), true);
}

/** Writes as much of a `dirent` as there is room for; answers how much that is. `next` is where to go on. */
export function writeEntry(
  target: Uint8Array,
  next: number,
  directory: string,
  name: string,
  isDirectory: boolean,
): number {
  const encoded = encoder.encode(name);
  const entry = new Uint8Array(DIRENT_BYTES + encoded.length);
  const view = new DataView(entry.buffer);
  view.setBigUint64(0, BigInt(next), true);
  view.setBigUint64(8, inodeOf(directory === '' ? name : `${directory}/${name}`), true);
  view.setUint32(16, encoded.length, true);
  view.setUint8(20, isDirectory ? FILE_TYPE.DIRECTORY : FILE_TYPE.REGULAR_FILE);
  entry.set(encoded, DIRENT_BYTES);
  const part = entry.subarray(0, target.length);
  target.set(part);
  return part.length;
}

/**
 * A number for a path, as programs compare files by it: FNV-1a over its UTF-16 units, twice 32 bits with different
 * beginnings, and never 0, for which the C library would ask again.
 */
function inodeOf(path: string): bigint {
  let low = 0x811c9dc5;
  let high = 0x050c5d1f;
  for (let i = 0; i < path.length; i++) {
    const unit = path.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ (unit + i), 0x01000193);
  }
  return (BigInt(high >>> 0) << 32n) | BigInt((low >>> 0) | 1);
}

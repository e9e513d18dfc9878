import { ABI_LIMITS } from '../abi/limits.ts';
import { Errno } from './errno.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export interface FilePath {
  /** As the state has it; empty for the root directory. */
  path: string;
  /** It was written with a slash at its end, or as a step up. */
  isDirectory: boolean;
}

/**
 * The path that a program passed, seen from the directory `base`, as the state has it. There are no links, so a step up
 * is the path without its last name, and none leads out of `base`.
 *
 * @param assertDirectory throws unless the path is a directory: nothing leads through what is not there
 * @throws Errno
 */
export function resolvePath(base: string, bytes: Uint8Array, assertDirectory: (path: string) => void): FilePath {
  if (bytes.length === 0) throw new Errno('NOENT');
  if (bytes.length > ABI_LIMITS.pathBytesMax) throw new Errno('NAMETOOLONG');
  const text = textOf(bytes);
  if (text.includes('\0')) throw new Errno('INVAL');
  if (text.startsWith('/')) throw new Errno('NOTCAPABLE');
  const names = base === '' ? [] : base.split('/');
  const depth = names.length;
  for (const name of text.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (names.length === depth) throw new Errno('NOTCAPABLE');
      assertDirectory(names.join('/'));
      names.pop();
      continue;
    }
    if (byteLength(name) > ABI_LIMITS.nameBytesMax) throw new Errno('NAMETOOLONG');
    names.push(name);
  }
  const path = names.join('/');
  if (names.length > ABI_LIMITS.pathSegmentsMax || byteLength(path) > ABI_LIMITS.pathBytesMax) {
    throw new Errno('NAMETOOLONG');
  }
  return { path, isDirectory: /(?:^|\/)(?:\.\.?)?$/.test(text) };
}

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** The directory that a path lies in. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Errno('ILSEQ');
  }
}

import { ABI_LIMITS } from '../abi/limits.ts';
import { compareNames } from '../abi/state-path.ts';
import { JobEnd } from '../errors.ts';
import type { StateChanges, StateEntry, StateStat } from '../types.ts';
import { Overlay, OverlayDirectory, type OverlayNode } from './overlay.ts';

/** The state that a job starts from, asked without waiting: see `StateView`. */
export interface StateReader {
  /** @param isReadNext false: nobody looks at what is in the file */
  stat(path: string, isReadNext?: boolean): StateStat | undefined;
  read(path: string, offset: number, length: number): Uint8Array | undefined;
  list(path: string, after: string, limit: number): { entries: StateEntry[]; total: number } | undefined;
}

/** Entries that are asked for at a time: few at first, more when that was not enough. */
const PAGE_MIN = 64;
const PAGE_MAX = 1024;
const DIRECTORY: StateStat = { kind: 'directory', size: 0 };

/**
 * A service's state as one job sees it: what it started from, with the job's own changes over it. The changes stay here
 * until the job has ended well.
 */
export class JobState {
  readonly #base: StateReader | undefined;
  readonly writable: boolean;
  readonly #overlay = new Overlay();
  #changes = 0;
  writtenBytes = 0;

  /** Without `base` the state is empty. */
  constructor(base: StateReader | undefined, writable: boolean) {
    this.#base = base;
    this.writable = writable;
  }

  /** What the job changed; undefined when nothing. */
  changes(): StateChanges | undefined {
    const removed: string[] = [];
    const written = new Map<string, Uint8Array>();
    for (const { path, node } of this.#overlay.changes()) {
      if (node.replaces) removed.push(path);
      if (!(node instanceof OverlayDirectory)) written.set(path, node.content);
    }
    return removed.length === 0 && written.size === 0 ? undefined : { removed, written };
  }

  stat(path: string, isReadNext = true): StateStat | undefined {
    if (path === '') return DIRECTORY;
    const { node, isHidden } = this.#overlay.find(path);
    if (node instanceof OverlayDirectory) {
      if (node.own > 0) return DIRECTORY;
      return !isHidden && this.#isAnyLeft(path, node) ? this.#base?.stat(path, isReadNext) : undefined;
    }
    if (node !== undefined) return { kind: 'file', size: node.content.length };
    return isHidden ? undefined : this.#base?.stat(path, isReadNext);
  }

  read(path: string, offset: number, length: number): Uint8Array | undefined {
    const { node, isHidden } = this.#overlay.find(path);
    if (node !== undefined && !(node instanceof OverlayDirectory))
      return node.content.subarray(offset, offset + length);
    return isHidden || (node?.own ?? 0) > 0 ? undefined : this.#base?.read(path, offset, length);
  }

  /** Checks that the job may change the state once more. @throws JobEnd READ_ONLY, STATE_LIMIT */
  assertWritable(byteCount: number): void {
    if (!this.writable) {
      throw new JobEnd(
        'READ_ONLY',
        'The handler changes the state in a query, or belongs to no service. Only requests other than GET and HEAD may.',
      );
    }
    if (this.#changes >= ABI_LIMITS.changesMax) {
      throw new JobEnd('STATE_LIMIT', `The handler changes the state more than ${ABI_LIMITS.changesMax} times.`);
    }
    if (this.writtenBytes + byteCount > ABI_LIMITS.writtenBytesMax) {
      throw new JobEnd('STATE_LIMIT', `The handler writes more than ${ABI_LIMITS.writtenBytesMax} bytes in one job.`);
    }
  }

  /** Replaces a file; `content` is kept. @throws JobEnd */
  write(path: string, content: Uint8Array, priceBytes: number): void {
    const found = this.stat(path, false)?.kind;
    if (found === 'directory') throw conflict(path, 'it is a directory');
    if (found === undefined) this.#assertNoFileAbove(path);
    this.#count(priceBytes);
    this.#overlay.write(path, content);
  }

  /** Makes a directory that the job sees although it is empty; the state gets directories by their files only. */
  makeDirectory(path: string): void {
    this.#count(0);
    this.#overlay.keepDirectory(path);
  }

  /** Removes a file, or a directory with all in it; false when there was nothing. */
  remove(path: string, priceBytes: number): boolean {
    this.#count(priceBytes);
    if (this.stat(path, false) === undefined) return false;
    this.#overlay.remove(path, !this.#overlay.find(path).isHidden && this.#base?.stat(path, false) !== undefined);
    return true;
  }

  /** The directory that the path lies in stays, as a program expects, when this was the last file in it. */
  removeFrom(parent: string, path: string, priceBytes: number): void {
    this.remove(path, priceBytes);
    if (parent !== '') this.#overlay.keepDirectory(parent);
  }

  /**
   * Entries behind `after` in the order of their names, until `take` wants no more; undefined without the directory.
   * Answers how many entries the job started with, and how many removed ones were passed over.
   */
  list(
    path: string,
    after: string,
    take: (entry: StateEntry) => boolean,
  ): { total: number; passed: number } | undefined {
    if (this.stat(path)?.kind !== 'directory') return undefined;
    const { node, isHidden } = this.#overlay.find(path);
    const directory = node instanceof OverlayDirectory ? node : undefined;
    const base = isHidden ? undefined : this.#base;
    const names = directory?.names ?? [];
    const prefix = path === '' ? '' : `${path}/`;
    let next = after === '' ? 0 : (directory?.indexBehind(after) ?? 0);
    let cursor = after;
    let passed = 0;
    let total = 0;
    for (let limit = PAGE_MIN; ; limit = Math.min(PAGE_MAX, limit * 2)) {
      const page = base?.list(path, cursor, limit) ?? { entries: [], total: 0 };
      total = page.total;
      for (const entry of page.entries) {
        for (; next < names.length && compareNames(names[next]!, entry.name) < 0; next++) {
          const own = entryOf(names[next]!, directory?.entries.get(names[next]!));
          if (own !== undefined && !take(own)) return { total, passed };
        }
        const child = names[next] === entry.name ? directory?.entries.get(names[next++]!) : undefined;
        const seen = child === undefined ? entry : (entryOf(entry.name, child) ?? this.#left(prefix, entry, child));
        if (seen === undefined) passed += 1;
        else if (!take(seen)) return { total, passed };
      }
      if (page.entries.length < limit) break;
      cursor = page.entries.at(-1)!.name;
    }
    for (; next < names.length; next++) {
      const own = entryOf(names[next]!, directory?.entries.get(names[next]!));
      if (own !== undefined && !take(own)) break;
    }
    return { total, passed };
  }

  #count(priceBytes: number): void {
    this.#changes += 1;
    this.writtenBytes += priceBytes;
  }

  /** What is above a file are directories; so where a file is above, it is the deepest that is there. @throws JobEnd */
  #assertNoFileAbove(path: string): void {
    const ends = [...path.matchAll(/\//g)].map(({ index }) => index);
    // Every question costs a turn of two threads, and most files are written beside others.
    let low = 0;
    let high = ends.length - 1;
    for (let at = high; low <= high; at = (low + high) >>> 1) {
      const above = path.slice(0, ends[at]);
      const found = this.stat(above, false)?.kind;
      if (found === 'file') throw conflict(path, `${above} is a file`);
      if (found === 'directory') low = at + 1;
      else high = at - 1;
    }
  }

  #left(prefix: string, entry: StateEntry, child: OverlayNode): StateEntry | undefined {
    const isLeft = child instanceof OverlayDirectory && !child.replaces && this.#isAnyLeft(prefix + entry.name, child);
    return isLeft ? entry : undefined;
  }

  /** Whether a file that the job started with is left below a directory of which not all was removed at once. */
  #isAnyLeft(path: string, directory: OverlayDirectory): boolean {
    if (directory.removed === 0) return true;
    const isLeft = (name: string): boolean => {
      const child = directory.entries.get(name);
      if (child === undefined) return true;
      return child instanceof OverlayDirectory && !child.replaces && this.#isAnyLeft(`${path}/${name}`, child);
    };
    if (directory.firstLeft !== '' && isLeft(directory.firstLeft)) return true;
    for (let limit = PAGE_MIN; ; limit = Math.min(PAGE_MAX, limit * 2)) {
      const entries = this.#base?.list(path, directory.firstLeft, limit)?.entries ?? [];
      for (const { name } of entries) {
        // What is removed stays so: the next look begins here.
        directory.firstLeft = name;
        if (isLeft(name)) return true;
      }
      if (entries.length < limit) return false;
    }
  }
}

/** What the job itself made of a name; undefined when it made nothing, or only removed what was there. */
function entryOf(name: string, node: OverlayNode | undefined): StateEntry | undefined {
  if (node === undefined) return undefined;
  if (node instanceof OverlayDirectory) return node.own > 0 ? { name, ...DIRECTORY } : undefined;
  return { name, kind: 'file', size: node.content.length };
}

function conflict(path: string, why: string): JobEnd {
  return new JobEnd('STATE_CONFLICT', `The handler writes the file ${path}, which cannot be: ${why}.`);
}

import { ABI_LIMITS } from '../abi/limits.ts';
import { compareNames } from '../abi/state-path.ts';
import { JobEnd } from '../errors.ts';
import type { StateChanges, StateEntry, StateStat } from '../types.ts';

/** The state that a job starts from, asked without waiting: see `StateView`. */
export interface StateReader {
  stat(path: string): StateStat | undefined;
  read(path: string, offset: number, length: number): Uint8Array | undefined;
  list(path: string, after: string, limit: number): { entries: StateEntry[]; total: number } | undefined;
}

const PAGE = 64;
const ROOT: StateStat = { kind: 'directory', size: 0 };

/**
 * A service's state as one job sees it: what it started from, with the job's own changes over it. The changes stay here
 * until the job has ended well.
 */
export class JobState {
  readonly #base: StateReader | undefined;
  readonly #writable: boolean;
  readonly #written = new Map<string, Uint8Array>();
  readonly #removed = new Set<string>();
  /** Directories that are there until the job ends, whether or not a file is in them. */
  readonly #made = new Set<string>();
  #changes = 0;
  writtenBytes = 0;

  /** Without `base` the state is empty. */
  constructor(base: StateReader | undefined, writable: boolean) {
    this.#base = base;
    this.#writable = writable;
  }

  /** What the job changed; undefined when nothing. */
  changes(): StateChanges | undefined {
    if (this.#removed.size === 0 && this.#written.size === 0) return undefined;
    return { removed: [...this.#removed], written: this.#written };
  }

  stat(path: string): StateStat | undefined {
    if (path === '') return ROOT;
    const own = this.#written.get(path);
    if (own !== undefined) return { kind: 'file', size: own.length };
    if (this.#made.has(path) || this.#hasWrittenBelow(path)) return ROOT;
    const base = this.#covered(path) ? undefined : this.#base?.stat(path);
    return base?.kind === 'directory' && !this.#survives(path) ? undefined : base;
  }

  read(path: string, offset: number, length: number): Uint8Array | undefined {
    const own = this.#written.get(path);
    if (own !== undefined) return own.subarray(offset, offset + length);
    if (this.#covered(path) || this.#hasWrittenBelow(path)) return undefined;
    return this.#base?.read(path, offset, length);
  }

  get writable(): boolean {
    return this.#writable;
  }

  /** Checks that the job may change the state once more. @throws JobEnd READ_ONLY, STATE_LIMIT */
  assertWritable(byteCount: number): void {
    if (!this.#writable) {
      throw new JobEnd(
        'READ_ONLY',
        'The handler changes the state in a query, or belongs to no service. Only requests other than GET and HEAD may.',
      );
    }
    if (this.#changes + this.#made.size >= ABI_LIMITS.changesMax) {
      throw new JobEnd('STATE_LIMIT', `The handler changes the state more than ${ABI_LIMITS.changesMax} times.`);
    }
    if (this.writtenBytes + byteCount > ABI_LIMITS.writtenBytesMax) {
      throw new JobEnd('STATE_LIMIT', `The handler writes more than ${ABI_LIMITS.writtenBytesMax} bytes in one job.`);
    }
  }

  /** Replaces a file; `content` is kept. @throws JobEnd */
  write(path: string, content: Uint8Array, priceBytes: number): void {
    const found = this.stat(path)?.kind;
    if (found === 'directory') throw conflict(path, 'it is a directory');
    // What is above a file are directories, and every question costs a turn of two threads.
    for (let at = path.indexOf('/'); found === undefined && at >= 0; at = path.indexOf('/', at + 1)) {
      const parent = path.slice(0, at);
      if (this.stat(parent)?.kind === 'file') throw conflict(path, `${parent} is a file`);
    }
    this.#changes += 1;
    this.writtenBytes += priceBytes;
    this.#written.set(path, content);
  }

  /** Makes a directory that the job sees although it is empty; the state gets directories by their files only. */
  makeDirectory(path: string): void {
    if (path !== '') this.#made.add(path);
  }

  /** Removes a file, or a directory with all in it; false when there was nothing. */
  remove(path: string, priceBytes: number): boolean {
    const found = this.stat(path) !== undefined;
    this.#changes += 1;
    this.writtenBytes += priceBytes;
    if (!found) return false;
    const below = `${path}/`;
    for (const file of this.#written.keys()) if (file === path || file.startsWith(below)) this.#written.delete(file);
    for (const made of this.#made) if (made === path || made.startsWith(below)) this.#made.delete(made);
    if (this.#covered(path) || this.#base?.stat(path) === undefined) return true;
    for (const other of this.#removed) if (other.startsWith(below)) this.#removed.delete(other);
    this.#removed.add(path);
    return true;
  }

  /** Entries behind `after` in the order of their names, until `take` wants no more; undefined without the directory. */
  list(path: string, after: string, take: (entry: StateEntry) => boolean): { total: number } | undefined {
    if (this.stat(path)?.kind !== 'directory') return undefined;
    const own = this.#ownEntries(path).filter(({ name }) => compareNames(name, after) > 0 || after === '');
    const base = this.#covered(path) ? undefined : this.#base;
    const prefix = path === '' ? '' : `${path}/`;
    let total = own.length;
    let next = 0;
    let cursor = after;
    for (;;) {
      const page = base?.list(path, cursor, PAGE);
      total = Math.max(total, page?.total ?? 0);
      for (const entry of page?.entries ?? []) {
        for (; next < own.length && compareNames(own[next]!.name, entry.name) < 0; next++) {
          if (!take(own[next]!)) return { total };
        }
        // What the job wrote itself comes from there, and what it removed does not come.
        if (next < own.length && own[next]!.name === entry.name) continue;
        const child = prefix + entry.name;
        if (this.#removed.has(child)) continue;
        if (entry.kind === 'directory' && !this.#survives(child)) continue;
        if (!take(entry)) return { total };
      }
      if (page === undefined || page.entries.length < PAGE) break;
      cursor = page.entries.at(-1)!.name;
    }
    for (; next < own.length; next++) if (!take(own[next]!)) return { total };
    return { total };
  }

  /** The path or a directory above it was removed: nothing that the job started from is there. */
  #covered(path: string): boolean {
    if (this.#removed.size === 0) return false;
    if (this.#removed.has(path)) return true;
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      if (this.#removed.has(path.slice(0, at))) return true;
    }
    return false;
  }

  #hasWrittenBelow(path: string): boolean {
    const prefix = `${path}/`;
    for (const file of this.#written.keys()) if (file.startsWith(prefix)) return true;
    return false;
  }

  /** Whether a directory of the base that was not removed as a whole still has a file. */
  #survives(path: string): boolean {
    const prefix = `${path}/`;
    if (this.#hasWrittenBelow(path)) return true;
    if (![...this.#removed].some((removed) => removed.startsWith(prefix))) return true;
    let cursor = '';
    for (;;) {
      const entries = this.#base?.list(path, cursor, PAGE)?.entries ?? [];
      for (const { name, kind } of entries) {
        const child = prefix + name;
        if (!this.#removed.has(child) && (kind === 'file' || this.#survives(child))) return true;
      }
      if (entries.length < PAGE) return false;
      cursor = entries.at(-1)!.name;
    }
  }

  #ownEntries(path: string): StateEntry[] {
    const prefix = path === '' ? '' : `${path}/`;
    const found = new Map<string, StateEntry>();
    const note = (full: string, content?: Uint8Array): void => {
      if (!full.startsWith(prefix)) return;
      const end = full.indexOf('/', prefix.length);
      const name = full.slice(prefix.length, end < 0 ? undefined : end);
      const isFile = end < 0 && content !== undefined;
      found.set(name, isFile ? { name, kind: 'file', size: content.length } : { name, kind: 'directory', size: 0 });
    };
    for (const [file, content] of this.#written) note(file, content);
    for (const made of this.#made) note(made);
    return [...found.values()].sort((a, b) => compareNames(a.name, b.name));
  }
}

function conflict(path: string, why: string): JobEnd {
  return new JobEnd('STATE_CONFLICT', `The handler writes the file ${path}, which cannot be: ${why}.`);
}

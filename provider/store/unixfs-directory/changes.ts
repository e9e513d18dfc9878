import { splitPath } from './names.ts';
import { encodeFile } from './nodes.ts';

/** A file that was written and is not in any block yet. */
export class ChangedFile {
  readonly bytes: Uint8Array;
  #encoded: ReturnType<typeof encodeFile> | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Hashed once, however often a computation that needs it starts anew. */
  get encoded(): ReturnType<typeof encodeFile> {
    this.#encoded ??= encodeFile(this.bytes);
    return this.#encoded;
  }
}

export const REMOVED = Symbol('removed');
export type Change = ChangedFile | ChangedDirectory | typeof REMOVED;

/**
 * Changes on top of a directory, as a tree of what is different. What is written replaces whatever was at its path, and
 * a file on the way to it. A directory without files is not there.
 */
export class ChangedDirectory {
  /** True when nothing of what was there before shows through. */
  readonly replaces: boolean;
  readonly children = new Map<string, Change>();
  #hidesFile = false;

  constructor(replaces = false) {
    this.replaces = replaces;
  }

  /** True when a file that was here before is gone: something was written below it, even if that was removed again. */
  get hidesFile(): boolean {
    return this.replaces || this.#hidesFile;
  }

  /** @throws DirectoryError INVALID_PATH */
  write(path: string, bytes: Uint8Array): void {
    const segments = splitPath(path);
    this.#write(segments, 0, bytes);
  }

  /** @throws DirectoryError INVALID_PATH */
  remove(path: string): void {
    this.#remove(splitPath(path), 0);
  }

  #write(segments: readonly string[], at: number, bytes: Uint8Array): void {
    const name = segments[at] ?? '';
    if (at >= segments.length - 1) {
      this.children.set(name, new ChangedFile(bytes));
      return;
    }
    let child = this.children.get(name);
    if (!(child instanceof ChangedDirectory)) {
      child = new ChangedDirectory(this.replaces || child !== undefined);
      this.children.set(name, child);
    }
    child.#hidesFile = true;
    child.#write(segments, at + 1, bytes);
  }

  #remove(segments: readonly string[], at: number): void {
    const name = segments[at] ?? '';
    if (at >= segments.length - 1) {
      if (this.replaces) this.children.delete(name);
      else this.children.set(name, REMOVED);
      return;
    }
    let child = this.children.get(name);
    // Below a file, and below what is gone, there is nothing to be removed.
    if (child instanceof ChangedFile || child === REMOVED || (child === undefined && this.replaces)) return;
    if (child === undefined) {
      child = new ChangedDirectory();
      this.children.set(name, child);
    }
    child.#remove(segments, at + 1);
  }
}

import type { StateChanges, StateEntry, StateStat, StateView } from '../sandbox/index.ts';

/** A service's files in memory, with the directories that follow from them: the state of a test or of `workswap dev`. */
export class MemoryState implements StateView {
  readonly #files: Map<string, Uint8Array>;

  constructor(files: Iterable<readonly [path: string, content: Uint8Array]> = []) {
    this.#files = new Map(files);
  }

  /** All paths, sorted. */
  paths(): string[] {
    return [...this.#files.keys()].sort(compareUtf8);
  }

  file(path: string): Uint8Array | undefined {
    return this.#files.get(path);
  }

  stat(path: string): StateStat | undefined {
    const file = this.#files.get(path);
    if (file !== undefined) return { kind: 'file', size: file.length };
    return path === '' || this.#isDirectory(path) ? { kind: 'directory', size: 0 } : undefined;
  }

  read(path: string, offset: number, length: number): Uint8Array | undefined {
    return this.#files.get(path)?.slice(offset, offset + length);
  }

  list(path: string, after: string, limit: number): { entries: StateEntry[]; total: number } | undefined {
    if (path !== '' && !this.#isDirectory(path)) return undefined;
    const prefix = path === '' ? '' : `${path}/`;
    const found = new Map<string, StateEntry>();
    for (const [file, content] of this.#files) {
      if (!file.startsWith(prefix)) continue;
      const [name = '', ...rest] = file.slice(prefix.length).split('/');
      found.set(
        name,
        rest.length === 0 ? { name, kind: 'file', size: content.length } : { name, kind: 'directory', size: 0 },
      );
    }
    const entries = [...found.values()].sort((a, b) => compareUtf8(a.name, b.name));
    const behind = after === '' ? entries : entries.filter(({ name }) => compareUtf8(name, after) > 0);
    return { entries: behind.slice(0, limit), total: entries.length };
  }

  /** First what was removed, then what was written, as the sandbox reports them. */
  apply({ removed, written }: StateChanges): void {
    for (const path of removed) this.remove(path);
    for (const [path, content] of written) this.#files.set(path, content.slice());
  }

  set(path: string, content: Uint8Array): void {
    this.#files.set(path, content);
  }

  /** A file, or a directory with all that is in it. */
  remove(path: string): void {
    this.#files.delete(path);
    for (const file of this.#files.keys()) if (file.startsWith(`${path}/`)) this.#files.delete(file);
  }

  #isDirectory(path: string): boolean {
    for (const file of this.#files.keys()) if (file.startsWith(`${path}/`)) return true;
    return false;
  }
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { StateChanges } from '../sandbox/index.ts';
import { MemoryState } from './memory-state.ts';

/**
 * A state whose files are files of a directory, so that an author can look at them, change them and throw them away. They
 * are read once; what updates change is written through.
 */
export class DirectoryState extends MemoryState {
  readonly directory: string;
  #written: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, files: Map<string, Uint8Array>) {
    super(files);
    this.directory = directory;
  }

  static async open(directory: string): Promise<DirectoryState> {
    await mkdir(directory, { recursive: true });
    const files = new Map<string, Uint8Array>();
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      files.set(relative(directory, file).split(sep).join('/'), await readFile(file));
    }
    return new DirectoryState(directory, files);
  }

  override apply(changes: StateChanges): void {
    super.apply(changes);
    this.#written = this.#written.then(() => this.#write(changes));
  }

  /** Everything, for a fresh start. */
  clear(): void {
    this.apply({ removed: [...new Set(this.paths().map((path) => path.split('/')[0]!))], written: new Map() });
  }

  /** Resolves when all changes so far are on disk; rejects when one could not be written. */
  async written(): Promise<void> {
    await this.#written;
  }

  async #write({ removed, written }: StateChanges): Promise<void> {
    for (const path of removed) await rm(join(this.directory, path), { recursive: true, force: true });
    for (const [path, content] of written) {
      const file = join(this.directory, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}

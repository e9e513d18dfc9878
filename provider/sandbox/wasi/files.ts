import type { JobContext } from '../engine/job-context.ts';
import type { StateEntry, StateStat } from '../types.ts';
import { listFuel } from '../abi/prices.ts';
import { OPEN, RIGHTS } from './constants.ts';
import { DirectoryDescriptor, FileDescriptor, type Descriptor } from './descriptors.ts';
import { Errno } from './errno.ts';
import { byteLength, parentOf, resolvePath, type FilePath } from './file-path.ts';
import { OpenFile, writeFile, type Held } from './open-file.ts';

/** Entries that are looked at together while a directory is moved. */
const PAGE = 64;
/** What stands before the name of an entry, as WASI lists it. */
export const DIRENT_BYTES = 24;

/**
 * The state of a job as the file system of a POSIX program. Each look at a path costs what `state_stat` does, each
 * change what `state_write` and `state_remove` do. A directory stays until the job ends, or removes it, also when its last file goes.
 */
export class Files {
  readonly #context: JobContext;
  readonly #open = new Map<string, OpenFile>();
  #held: Held = { bytes: 0 };

  constructor(context: JobContext) {
    this.#context = context;
  }

  reset(): void {
    this.#open.clear();
    this.#held = { bytes: 0 };
  }

  resolve(base: string, bytes: Uint8Array): FilePath {
    return resolvePath(base, bytes, (path) => this.#assertDirectory(path));
  }

  /** @throws Errno NOENT, NOTDIR */
  stat(at: FilePath): StateStat {
    return this.#found(at, this.#find(at.path));
  }

  /** @throws Errno */
  open(at: FilePath, mode: number, rights: bigint, flags: number): Descriptor {
    const { path } = at;
    const isWriting = (rights & RIGHTS.WRITE) !== 0n || (mode & OPEN.TRUNCATE) !== 0;
    const before = this.#find(path);
    if (at.isDirectory && (mode & OPEN.CREATE) !== 0) {
      this.#assertDirectory(parentOf(path));
      throw new Errno('ISDIR');
    }
    const isNew = before === undefined && (mode & (OPEN.CREATE | OPEN.DIRECTORY)) === OPEN.CREATE;
    const { kind, size } = isNew ? this.#create(at) : this.#found(at, before);
    if (!isNew && (mode & OPEN.CREATE) !== 0 && (mode & OPEN.EXCLUSIVE) !== 0) throw new Errno('EXIST');
    if (kind === 'directory') {
      if ((mode & OPEN.CREATE) !== 0 || (isWriting && (mode & OPEN.DIRECTORY) === 0)) throw new Errno('ISDIR');
      return new DirectoryDescriptor(path);
    }
    if ((mode & OPEN.DIRECTORY) !== 0) throw new Errno('NOTDIR');
    if (isWriting) this.#assertWritable();
    const file = this.#open.get(path) ?? new OpenFile(this.#context, this.#held, path, size);
    if ((mode & OPEN.TRUNCATE) !== 0 && file.size > 0) file.resize(0);
    this.#open.set(path, file);
    file.users += 1;
    return new FileDescriptor(file, rights, flags);
  }

  /** @throws JobEnd when a changed file cannot be saved */
  close(descriptor: Descriptor): void {
    if (!(descriptor instanceof FileDescriptor)) return;
    const { file } = descriptor;
    file.save();
    file.users -= 1;
    if (file.users > 0) return;
    if (file.path !== undefined) this.#open.delete(file.path);
    file.close();
  }

  /** Saves what is still open when the program ends, in the order in which it was opened. */
  saveAll(): void {
    for (const file of this.#open.values()) file.save();
  }

  /** @throws Errno */
  makeDirectory({ path }: FilePath): void {
    if (this.#find(path) !== undefined) throw new Errno('EXIST');
    this.#assertDirectory(parentOf(path));
    this.#assertWritable();
    this.#context.charge('state_write', 0);
    this.#makeDirectory(path);
  }

  /** @throws Errno */
  removeDirectory(at: FilePath): void {
    if (this.stat({ ...at, isDirectory: true }).kind === 'file') throw new Errno('NOTDIR');
    this.#assertWritable();
    if (at.path === '') throw new Errno('BUSY');
    this.#assertEmpty(at.path);
    this.#remove(at.path);
  }

  /** @throws Errno */
  removeFile(at: FilePath): void {
    if (this.stat(at).kind === 'directory') throw new Errno('ISDIR');
    this.#assertWritable();
    this.#detach(at.path);
    this.#remove(at.path);
  }

  /** @throws Errno */
  rename(from: FilePath, to: FilePath): void {
    const { kind } = this.stat(from);
    const target = this.#find(to.path);
    if (target === undefined) this.#assertDirectory(parentOf(to.path));
    if (kind === 'file' && target?.kind === 'directory') throw new Errno('ISDIR');
    if (target?.kind === 'file' ? kind === 'directory' || to.isDirectory : kind === 'file' && to.isDirectory) {
      throw new Errno('NOTDIR');
    }
    this.#assertWritable();
    if (from.path === to.path) return;
    if (kind === 'file') {
      this.#detach(to.path);
      this.#moveFile(from.path, to.path);
      return;
    }
    if (from.path === '' || to.path.startsWith(`${from.path}/`)) throw new Errno('INVAL');
    if (target !== undefined) this.#assertEmpty(to.path);
    this.#moveDirectory(from.path, to.path);
  }

  /**
   * Entries of a directory in the order of their names, until `take` wants no more.
   *
   * @throws Errno NOENT when it was removed
   */
  list(path: string, after: string, take: (entry: StateEntry) => boolean): void {
    this.#context.charge('state_list', 0);
    const listed = this.#context.state.list(path, after, (entry) => {
      this.#context.chargeBytes('state_list', DIRENT_BYTES + byteLength(entry.name));
      return take(entry);
    });
    if (listed === undefined) throw new Errno('NOENT');
    this.#context.burn(listFuel(listed));
  }

  #find(path: string): StateStat | undefined {
    this.#context.charge('state_stat', 0);
    const open = this.#open.get(path);
    return open === undefined ? this.#context.state.stat(path) : { kind: 'file', size: open.size };
  }

  #found({ path, isDirectory }: FilePath, found: StateStat | undefined): StateStat {
    if (found === undefined) {
      this.#assertDirectory(parentOf(path));
      throw new Errno('NOENT');
    }
    if (isDirectory && found.kind === 'file') throw new Errno('NOTDIR');
    return found;
  }

  #create({ path }: FilePath): StateStat {
    this.#assertDirectory(parentOf(path));
    this.#assertWritable();
    writeFile(this.#context, path, new Uint8Array(0));
    return { kind: 'file', size: 0 };
  }

  #assertDirectory(path: string): void {
    if (path === '') return;
    const found = this.#find(path);
    if (found === undefined) throw new Errno('NOENT');
    if (found.kind === 'file') throw new Errno('NOTDIR');
  }

  #assertWritable(): void {
    if (!this.#context.state.writable) throw new Errno('ROFS');
  }

  #assertEmpty(path: string): void {
    this.list(path, '', () => {
      throw new Errno('NOTEMPTY');
    });
  }

  /** Who has the file open keeps it, but it is none of the state any more. */
  #detach(path: string): void {
    this.#open.get(path)?.detach();
    this.#open.delete(path);
  }

  #remove(path: string): void {
    const written = byteLength(path);
    this.#context.charge('state_remove', written);
    this.#context.state.assertWritable(written);
    this.#context.spend({ written });
    this.#context.state.removeFrom(parentOf(path), path, written);
  }

  #makeDirectory(path: string): void {
    this.#context.state.assertWritable(0);
    this.#context.state.makeDirectory(path);
  }

  #moveFile(from: string, to: string): void {
    const open = this.#open.get(from);
    open?.save();
    const { state } = this.#context;
    const size = state.stat(from)?.size ?? 0;
    this.#context.charge('state_read', size);
    writeFile(this.#context, to, (state.read(from, 0, size) ?? new Uint8Array(0)).slice());
    this.#remove(from);
    if (open === undefined) return;
    open.path = to;
    this.#open.delete(from);
    this.#open.set(to, open);
  }

  #moveDirectory(from: string, to: string): void {
    this.#makeDirectory(to);
    for (let after = ''; ;) {
      const page: StateEntry[] = [];
      this.list(from, after, (entry) => page.push(entry) < PAGE);
      for (const { name, kind } of page) {
        if (kind === 'file') this.#moveFile(`${from}/${name}`, `${to}/${name}`);
        else this.#moveDirectory(`${from}/${name}`, `${to}/${name}`);
      }
      if (page.length < PAGE) break;
      after = page.at(-1)!.name;
    }
    this.#remove(from);
  }
}

import { FILE_TYPE, FLAG_APPEND, RIGHTS, WASI_LIMITS } from './constants.ts';
import { Errno } from './errno.ts';
import type { OpenFile } from './open-file.ts';

const ROOT_FD = 3;

/** What a file descriptor stands for. */
export interface Descriptor {
  readonly type: number;
  readonly rights: bigint;
  flags: number;
  /** Fills `target`, from where the last read or write ended; fewer bytes only at the end. */
  read?(target: Uint8Array): number;
  write?(bytes: Uint8Array): void;
}

/** One of the three streams. */
export class StreamDescriptor implements Descriptor {
  readonly type = FILE_TYPE.CHARACTER_DEVICE;
  readonly rights: bigint;
  flags = 0;
  readonly read?: (target: Uint8Array) => number;
  readonly write?: (bytes: Uint8Array) => void;

  constructor(calls: Pick<Descriptor, 'read' | 'write'>) {
    if (calls.read !== undefined) this.read = calls.read;
    if (calls.write !== undefined) this.write = calls.write;
    this.rights = calls.read === undefined ? RIGHTS.WRITE : RIGHTS.READ;
  }
}

export class DirectoryDescriptor implements Descriptor {
  readonly type = FILE_TYPE.DIRECTORY;
  readonly rights = RIGHTS.ALL;
  flags = 0;
  readonly path: string;
  /** The last two entries that were listed, by number: from there programs go on, the last one being cut off or not. */
  listed: { number: number; name: string }[] = [];

  constructor(path: string) {
    this.path = path;
  }
}

/** A file as one program opened it: what it may do, and where it is in it. */
export class FileDescriptor implements Descriptor {
  readonly type = FILE_TYPE.REGULAR_FILE;
  readonly rights: bigint;
  flags: number;
  readonly file: OpenFile;
  position = 0;

  constructor(file: OpenFile, rights: bigint, flags: number) {
    this.file = file;
    this.rights = rights;
    this.flags = flags;
  }

  read(target: Uint8Array): number {
    const done = this.readAt(this.position, target);
    this.position += done;
    return done;
  }

  write(bytes: Uint8Array): void {
    if ((this.flags & FLAG_APPEND) !== 0) this.position = this.file.size;
    this.writeAt(this.position, bytes);
    this.position += bytes.length;
  }

  readAt(offset: number, target: Uint8Array): number {
    if ((this.rights & RIGHTS.READ) === 0n) throw new Errno('BADF');
    return this.file.read(offset, target);
  }

  writeAt(offset: number, bytes: Uint8Array): void {
    if ((this.rights & RIGHTS.WRITE) === 0n) throw new Errno('BADF');
    this.file.write(offset, bytes);
  }

  resize(size: number): void {
    if ((this.rights & RIGHTS.WRITE) === 0n) throw new Errno('INVAL');
    this.file.resize(size);
  }
}

/** The table of a process: its three streams, the root directory of the state, and what it opened. */
export class Descriptors {
  #open = new Map<number, Descriptor>();

  reset(streams: readonly StreamDescriptor[]): void {
    this.#open = new Map<number, Descriptor>(streams.entries());
    this.#open.set(ROOT_FD, new DirectoryDescriptor(''));
  }

  /** @throws Errno BADF */
  get(fd: number): Descriptor {
    const found = this.#open.get(fd);
    if (found === undefined) throw new Errno('BADF');
    return found;
  }

  /** @throws Errno BADF, NOTDIR */
  directory(fd: number): DirectoryDescriptor {
    const found = this.get(fd);
    if (!(found instanceof DirectoryDescriptor)) throw new Errno('NOTDIR');
    return found;
  }

  /** What seeks: neither streams nor directories do. @throws Errno BADF, ISDIR, SPIPE */
  file(fd: number): FileDescriptor {
    const found = this.get(fd);
    if (found instanceof DirectoryDescriptor) throw new Errno('ISDIR');
    if (!(found instanceof FileDescriptor)) throw new Errno('SPIPE');
    return found;
  }

  isRoot(fd: number): boolean {
    return fd === ROOT_FD && this.#open.get(fd) instanceof DirectoryDescriptor;
  }

  /** @throws Errno MFILE, before anything is opened */
  assertRoom(): void {
    if (this.#open.size >= WASI_LIMITS.descriptorsMax) throw new Errno('MFILE');
  }

  /** The lowest free number. */
  add(descriptor: Descriptor): number {
    let fd = 0;
    while (this.#open.has(fd)) fd += 1;
    this.#open.set(fd, descriptor);
    return fd;
  }

  remove(fd: number): Descriptor {
    const found = this.get(fd);
    this.#open.delete(fd);
    return found;
  }

  /** @throws Errno BADF */
  move(from: number, to: number): void {
    this.#open.set(to, this.remove(from));
  }
}

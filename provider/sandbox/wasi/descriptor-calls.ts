import { ERRNO, FLAG_APPEND } from './constants.ts';
import { DirectoryDescriptor, FileDescriptor } from './descriptors.ts';
import { Errno } from './errno.ts';
import { writeEntry, writeFileStat } from './file-stat.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { WasiCalls } from './imports.ts';
import type { Process } from './process.ts';
import type { WasiCall } from './signatures.ts';

const ROOT_NAME = new TextEncoder().encode('/');

/** What works on an open file, directory or stream. */
export function createDescriptorCalls({ descriptors, files }: Process, memory: GuestMemory): WasiCalls {
  function transfer(
    call: WasiCall,
    buffers: number,
    count: number,
    done: number,
    move: (range: Uint8Array, total: number) => number,
  ): number {
    let total = 0;
    for (const range of memory.ranges(call, buffers, count)) {
      const moved = move(range, total);
      total += moved;
      if (moved < range.length) break;
    }
    return memory.setUint32(call, done, total);
  }

  function sync(fd: number): number {
    const found = descriptors.get(fd);
    if (found instanceof FileDescriptor) found.file.save();
    return ERRNO.SUCCESS;
  }

  return {
    fd_read(fd: number, buffers: number, count: number, done: number): number {
      const found = descriptors.get(fd);
      if (found instanceof DirectoryDescriptor) return ERRNO.ISDIR;
      if (found.read === undefined) return ERRNO.BADF;
      return transfer('fd_read', buffers, count, done, (range) => found.read!(range));
    },
    fd_write(fd: number, buffers: number, count: number, done: number): number {
      const found = descriptors.get(fd);
      if (found.write === undefined) return ERRNO.BADF;
      return transfer('fd_write', buffers, count, done, (range) => {
        found.write!(range);
        return range.length;
      });
    },
    fd_pread(fd: number, buffers: number, count: number, offset: bigint, done: number): number {
      const found = descriptors.file(fd);
      const start = offsetOf(offset);
      return transfer('fd_pread', buffers, count, done, (range, total) => found.readAt(start + total, range));
    },
    fd_pwrite(fd: number, buffers: number, count: number, offset: bigint, done: number): number {
      const found = descriptors.file(fd);
      const start = offsetOf(offset);
      return transfer('fd_pwrite', buffers, count, done, (range, total) => {
        found.writeAt(start + total, range);
        return range.length;
      });
    },
    /** From the beginning, from where it is, or from the end. */
    fd_seek(fd: number, offset: bigint, whence: number, target: number): number {
      const found = descriptors.file(fd);
      const from = [0, found.position, found.file.size][whence];
      if (from === undefined) return ERRNO.INVAL;
      const position = offsetOf(BigInt(from) + offset);
      found.position = position;
      return memory.setUint64('fd_seek', target, BigInt(position));
    },
    fd_tell: (fd: number, target: number) => memory.setUint64('fd_tell', target, BigInt(descriptors.file(fd).position)),
    fd_close(fd: number): number {
      files.close(descriptors.remove(fd));
      return ERRNO.SUCCESS;
    },
    fd_renumber(from: number, to: number): number {
      descriptors.get(from);
      const replaced = descriptors.get(to);
      if (from === to) return ERRNO.SUCCESS;
      descriptors.move(from, to);
      files.close(replaced);
      return ERRNO.SUCCESS;
    },
    fd_sync: sync,
    fd_datasync: sync,
    fd_advise(fd: number): number {
      descriptors.file(fd);
      return ERRNO.SUCCESS;
    },
    fd_fdstat_get(fd: number, target: number): number {
      const { type, flags, rights } = descriptors.get(fd);
      const view = memory.cleared('fd_fdstat_get', target, 24);
      view.setUint8(0, type);
      view.setUint16(2, flags, true);
      view.setBigUint64(8, rights, true);
      view.setBigUint64(16, rights, true);
      return ERRNO.SUCCESS;
    },
    fd_fdstat_set_flags(fd: number, flags: number): number {
      descriptors.get(fd).flags = flags & FLAG_APPEND;
      return ERRNO.SUCCESS;
    },
    fd_filestat_get(fd: number, target: number): number {
      const found = descriptors.get(fd);
      const view = memory.cleared('fd_filestat_get', target, 64);
      if (found instanceof FileDescriptor) writeFileStat(view, found.type, found.file.path ?? '', found.file.size);
      else writeFileStat(view, found.type, found instanceof DirectoryDescriptor ? found.path : '', 0);
      return ERRNO.SUCCESS;
    },
    fd_filestat_set_size(fd: number, size: bigint): number {
      descriptors.file(fd).resize(offsetOf(size));
      return ERRNO.SUCCESS;
    },

    fd_prestat_get(fd: number, target: number): number {
      if (!descriptors.isRoot(fd)) return ERRNO.BADF;
      memory.cleared('fd_prestat_get', target, 8);
      return memory.setUint32('fd_prestat_get', target + 4, ROOT_NAME.length);
    },
    fd_prestat_dir_name(fd: number, target: number, length: number): number {
      if (!descriptors.isRoot(fd)) return ERRNO.BADF;
      if (length >>> 0 < ROOT_NAME.length) return ERRNO.NAMETOOLONG;
      memory.bytes('fd_prestat_dir_name', target, ROOT_NAME.length).set(ROOT_NAME);
      return ERRNO.SUCCESS;
    },

    fd_readdir(fd: number, target: number, length: number, cookie: bigint, done: number): number {
      const directory = descriptors.directory(fd);
      const buffer = memory.bytes('fd_readdir', target, length);
      const known = directory.listed.find((entry) => BigInt(entry.number) === cookie);
      // From anywhere else it counts again from the first.
      let skip = known === undefined ? Number(BigInt.asUintN(53, cookie)) : 0;
      let number = known?.number ?? 0;
      let used = 0;
      files.list(directory.path, known?.name ?? '', ({ name, kind }) => {
        number += 1;
        if (skip-- > 0) return true;
        directory.listed = [...directory.listed.slice(-1), { number, name }];
        used += writeEntry(buffer.subarray(used), number, directory.path, name, kind === 'directory');
        return used < buffer.length;
      });
      return memory.setUint32('fd_readdir', done, used);
    },
  };
}

/** @throws Errno INVAL for what no file has a byte at */
function offsetOf(offset: bigint): number {
  if (offset < 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new Errno('INVAL');
  return Number(offset);
}

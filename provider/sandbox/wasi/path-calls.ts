import type { JobContext } from '../engine/job-context.ts';
import { ABI_LIMITS } from '../abi/limits.ts';
import { ERRNO, FILE_TYPE, FLAG_APPEND, WASI_PRICES } from './constants.ts';
import type { FilePath } from './file-path.ts';
import { writeFileStat } from './file-stat.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { WasiCalls } from './imports.ts';
import type { Process } from './process.ts';
import type { WasiCall } from './signatures.ts';

/** What works on paths, seen from an open directory. */
export function createPathCalls(context: JobContext, process: Process, memory: GuestMemory): WasiCalls {
  const { descriptors, files } = process;

  function at(call: WasiCall, fd: number, pointer: number, length: number): FilePath {
    // Not more is looked at than a path may have: what is longer is refused for its length.
    const bytes = memory.bytes(call, pointer, Math.min(length >>> 0, ABI_LIMITS.pathBytesMax + 1));
    context.burn(WASI_PRICES.byte * bytes.length);
    return files.resolve(descriptors.directory(fd).path, bytes);
  }

  return {
    path_open(
      fd: number,
      _lookup: number,
      pointer: number,
      length: number,
      mode: number,
      rights: bigint,
      _inheriting: bigint,
      flags: number,
      target: number,
    ): number {
      const path = at('path_open', fd, pointer, length);
      memory.view('path_open', target, 4);
      descriptors.assertRoom();
      const opened = descriptors.add(files.open(path, mode, rights, flags & FLAG_APPEND));
      return memory.setUint32('path_open', target, opened);
    },
    path_filestat_get(fd: number, _lookup: number, pointer: number, length: number, target: number): number {
      const path = at('path_filestat_get', fd, pointer, length);
      const { kind, size } = files.stat(path);
      const type = kind === 'directory' ? FILE_TYPE.DIRECTORY : FILE_TYPE.REGULAR_FILE;
      writeFileStat(memory.cleared('path_filestat_get', target, 64), type, path.path, size);
      return ERRNO.SUCCESS;
    },
    path_create_directory(fd: number, pointer: number, length: number): number {
      files.makeDirectory(at('path_create_directory', fd, pointer, length));
      return ERRNO.SUCCESS;
    },
    path_remove_directory(fd: number, pointer: number, length: number): number {
      files.removeDirectory(at('path_remove_directory', fd, pointer, length));
      return ERRNO.SUCCESS;
    },
    path_unlink_file(fd: number, pointer: number, length: number): number {
      files.removeFile(at('path_unlink_file', fd, pointer, length));
      return ERRNO.SUCCESS;
    },
    path_rename(
      fd: number,
      pointer: number,
      length: number,
      toFd: number,
      toPointer: number,
      toLength: number,
    ): number {
      const from = at('path_rename', fd, pointer, length);
      files.rename(from, at('path_rename', toFd, toPointer, toLength));
      return ERRNO.SUCCESS;
    },
    /** There are no links: what is there is none. */
    path_readlink(fd: number, pointer: number, length: number): number {
      files.stat(at('path_readlink', fd, pointer, length));
      return ERRNO.INVAL;
    },
  };
}

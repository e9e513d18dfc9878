import type { Signature } from '../abi/signatures.ts';

export const WASI_MODULE = 'wasi_snapshot_preview1';

const I32 = 'i32';
const I64 = 'i64';

function errno(...params: string[]): Signature {
  return { params, results: [I32] };
}

/** All calls of WASI preview 1, so that every command module links; those without a meaning here answer ENOSYS. */
export const WASI_SIGNATURES = {
  args_get: errno(I32, I32),
  args_sizes_get: errno(I32, I32),
  environ_get: errno(I32, I32),
  environ_sizes_get: errno(I32, I32),
  clock_res_get: errno(I32, I32),
  clock_time_get: errno(I32, I64, I32),
  fd_advise: errno(I32, I64, I64, I32),
  fd_allocate: errno(I32, I64, I64),
  fd_close: errno(I32),
  fd_datasync: errno(I32),
  fd_fdstat_get: errno(I32, I32),
  fd_fdstat_set_flags: errno(I32, I32),
  fd_fdstat_set_rights: errno(I32, I64, I64),
  fd_filestat_get: errno(I32, I32),
  fd_filestat_set_size: errno(I32, I64),
  fd_filestat_set_times: errno(I32, I64, I64, I32),
  fd_pread: errno(I32, I32, I32, I64, I32),
  fd_prestat_get: errno(I32, I32),
  fd_prestat_dir_name: errno(I32, I32, I32),
  fd_pwrite: errno(I32, I32, I32, I64, I32),
  fd_read: errno(I32, I32, I32, I32),
  fd_readdir: errno(I32, I32, I32, I64, I32),
  fd_renumber: errno(I32, I32),
  fd_seek: errno(I32, I64, I32, I32),
  fd_sync: errno(I32),
  fd_tell: errno(I32, I32),
  fd_write: errno(I32, I32, I32, I32),
  path_create_directory: errno(I32, I32, I32),
  path_filestat_get: errno(I32, I32, I32, I32, I32),
  path_filestat_set_times: errno(I32, I32, I32, I32, I64, I64, I32),
  path_link: errno(I32, I32, I32, I32, I32, I32, I32),
  path_open: errno(I32, I32, I32, I32, I32, I64, I64, I32, I32),
  path_readlink: errno(I32, I32, I32, I32, I32, I32),
  path_remove_directory: errno(I32, I32, I32),
  path_rename: errno(I32, I32, I32, I32, I32, I32),
  path_symlink: errno(I32, I32, I32, I32, I32),
  path_unlink_file: errno(I32, I32, I32),
  poll_oneoff: errno(I32, I32, I32, I32),
  proc_exit: { params: [I32], results: [] },
  proc_raise: errno(I32),
  random_get: errno(I32, I32),
  sched_yield: errno(),
  sock_accept: errno(I32, I32, I32),
  sock_recv: errno(I32, I32, I32, I32, I32, I32),
  sock_send: errno(I32, I32, I32, I32, I32),
  sock_shutdown: errno(I32, I32),
} as const satisfies Record<string, Signature>;

export type WasiCall = keyof typeof WASI_SIGNATURES;

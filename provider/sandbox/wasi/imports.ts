import type { JobContext } from '../engine/job-context.ts';
import { ERRNO, WASI_LIMITS, WASI_PRICES } from './constants.ts';
import { ProcessExit, type Process } from './process.ts';
import { WASI_SIGNATURES, type WasiCall } from './signatures.ts';

type WasiCalls = Partial<Record<WasiCall, (...args: never[]) => number | void>>;

const CHARACTER_DEVICE = 2;
const RIGHT_READ = 1n << 1n;
const RIGHT_WRITE = 1n << 6n;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const CLOCKS = 4;
const NS_PER_MS = 1_000_000n;

/**
 * WASI preview 1 for a command that speaks CGI: three streams, the request as environment, the task's time and its random
 * stream. A range outside memory ends the job, as in the ABI's own calls; everything else that is wrong answers an errno.
 */
export function createWasiImports(context: JobContext, process: Process): WebAssembly.ModuleImports {
  const memory = new GuestMemory(context);

  function listGet(
    name: WasiCall,
    parts: readonly Uint8Array[],
    bytes: number,
    pointers: number,
    target: number,
  ): number {
    context.burn(WASI_PRICES.byte * (bytes + parts.length * 4));
    const table = memory.view(name, pointers, parts.length * 4);
    const text = context.bytes(name, target, bytes);
    let at = 0;
    for (const [index, part] of parts.entries()) {
      table.setUint32(index * 4, (target >>> 0) + at, true);
      text.set(part, at);
      at += part.length;
    }
    return ERRNO.SUCCESS;
  }

  function setUint32s(name: WasiCall, ...pairs: [pointer: number, value: number][]): number {
    for (const [pointer, value] of pairs) memory.view(name, pointer, 4).setUint32(0, value, true);
    return ERRNO.SUCCESS;
  }

  function stream(fd: number, then: () => number): number {
    return process.isOpen(fd) ? then() : ERRNO.BADF;
  }

  const calls: WasiCalls = {
    args_sizes_get: (count: number, size: number) =>
      setUint32s('args_sizes_get', [count, process.request.args.length], [size, process.request.argsBytes]),
    args_get: (pointers: number, target: number) =>
      listGet('args_get', process.request.args, process.request.argsBytes, pointers, target),
    environ_sizes_get: (count: number, size: number) =>
      setUint32s(
        'environ_sizes_get',
        [count, process.request.environment.length],
        [size, process.request.environmentBytes],
      ),
    environ_get: (pointers: number, target: number) =>
      listGet('environ_get', process.request.environment, process.request.environmentBytes, pointers, target),

    clock_res_get(clock: number, target: number): number {
      if (clock >>> 0 >= CLOCKS) return ERRNO.INVAL;
      memory.view('clock_res_get', target, 8).setBigUint64(0, NS_PER_MS, true);
      return ERRNO.SUCCESS;
    },
    clock_time_get(clock: number, _precision: bigint, target: number): number {
      if (clock >>> 0 >= CLOCKS) return ERRNO.INVAL;
      memory.view('clock_time_get', target, 8).setBigUint64(0, BigInt(context.job.timeMs) * NS_PER_MS, true);
      return ERRNO.SUCCESS;
    },
    random_get(target: number, length: number): number {
      context.burn(WASI_PRICES.randomByte * (length >>> 0));
      context.random.fill(context.bytes('random_get', target, length));
      return ERRNO.SUCCESS;
    },
    sched_yield: () => ERRNO.SUCCESS,
    proc_exit(exitCode: number): void {
      throw new ProcessExit(exitCode >>> 0);
    },

    fd_read: (fd: number, buffers: number, count: number, done: number) =>
      stream(fd, () => {
        if (fd !== 0) return ERRNO.BADF;
        let total = 0;
        const ranges = memory.ranges('fd_read', buffers, count);
        if (ranges === undefined) return ERRNO.INVAL;
        for (const range of ranges) {
          // Only what is there is paid for: programs read into large buffers.
          const read = process.readStdin(range);
          context.burn(WASI_PRICES.byte * read);
          total += read;
          if (read < range.length) break;
        }
        return setUint32s('fd_read', [done, total]);
      }),
    fd_write: (fd: number, buffers: number, count: number, done: number) =>
      stream(fd, () => {
        if (fd === 0) return ERRNO.BADF;
        const ranges = memory.ranges('fd_write', buffers, count);
        if (ranges === undefined) return ERRNO.INVAL;
        let total = 0;
        for (const range of ranges) {
          context.burn((fd === 1 ? WASI_PRICES.byte : WASI_PRICES.stderrByte) * range.length);
          if (fd === 1) process.writeStdout(range);
          else process.writeStderr(range);
          total += range.length;
        }
        return setUint32s('fd_write', [done, total]);
      }),
    fd_close: (fd: number) =>
      stream(fd, () => {
        process.close(fd);
        return ERRNO.SUCCESS;
      }),
    fd_sync: (fd: number) => stream(fd, () => ERRNO.SUCCESS),
    fd_datasync: (fd: number) => stream(fd, () => ERRNO.SUCCESS),
    fd_fdstat_set_flags: (fd: number) => stream(fd, () => ERRNO.SUCCESS),
    fd_seek: (fd: number) => stream(fd, () => ERRNO.SPIPE),
    fd_tell: (fd: number) => stream(fd, () => ERRNO.SPIPE),
    fd_pread: (fd: number) => stream(fd, () => ERRNO.SPIPE),
    fd_pwrite: (fd: number) => stream(fd, () => ERRNO.SPIPE),
    fd_fdstat_get: (fd: number, target: number) =>
      stream(fd, () => {
        const view = memory.cleared('fd_fdstat_get', target, 24);
        view.setUint8(0, CHARACTER_DEVICE);
        view.setBigUint64(8, fd === 0 ? RIGHT_READ : RIGHT_WRITE, true);
        return ERRNO.SUCCESS;
      }),
    fd_filestat_get: (fd: number, target: number) =>
      stream(fd, () => {
        memory.cleared('fd_filestat_get', target, 64).setUint8(16, CHARACTER_DEVICE);
        return ERRNO.SUCCESS;
      }),
    // No directory is open: programs stop asking at the first number without one.
    fd_prestat_get: () => ERRNO.BADF,
    fd_prestat_dir_name: () => ERRNO.BADF,

    /** Nothing here ever waits: every subscription has happened at once. */
    poll_oneoff(subscriptions: number, events: number, count: number, done: number): number {
      const size = count >>> 0;
      if (size === 0 || size > WASI_LIMITS.subscriptionsMax) return ERRNO.INVAL;
      context.burn(WASI_PRICES.element * size);
      const source = memory.view('poll_oneoff', subscriptions, size * SUBSCRIPTION_BYTES);
      const asked = Array.from({ length: size }, (_, i) => ({
        userdata: source.getBigUint64(i * SUBSCRIPTION_BYTES, true),
        kind: source.getUint8(i * SUBSCRIPTION_BYTES + 8),
      }));
      const target = memory.cleared('poll_oneoff', events, size * EVENT_BYTES);
      for (const [i, { userdata, kind }] of asked.entries()) {
        target.setBigUint64(i * EVENT_BYTES, userdata, true);
        target.setUint8(i * EVENT_BYTES + 10, kind);
      }
      return setUint32s('poll_oneoff', [done, size]);
    },
  };

  const imports: WebAssembly.ModuleImports = Object.create(null);
  for (const name of Object.keys(WASI_SIGNATURES) as WasiCall[]) {
    const call = calls[name] as ((...args: unknown[]) => number | void) | undefined;
    imports[name] = (...args: unknown[]): number | void => {
      context.burn(WASI_PRICES.call);
      return call === undefined ? ERRNO.NOSYS : call(...args);
    };
  }
  return imports;
}

/** The handler's memory, in the shapes that WASI passes it. */
class GuestMemory {
  readonly #context: JobContext;

  constructor(context: JobContext) {
    this.#context = context;
  }

  view(call: WasiCall, pointer: number, length: number): DataView {
    const { buffer, byteOffset } = this.#context.bytes(call, pointer, length);
    return new DataView(buffer, byteOffset, length);
  }

  cleared(call: WasiCall, pointer: number, length: number): DataView {
    this.#context.bytes(call, pointer, length).fill(0);
    return this.view(call, pointer, length);
  }

  /** The buffers of a read or write, all checked before any is used; undefined when there are too many. */
  ranges(call: WasiCall, pointer: number, count: number): Uint8Array[] | undefined {
    const size = count >>> 0;
    if (size > WASI_LIMITS.buffersMax) return undefined;
    this.#context.burn(WASI_PRICES.element * size);
    const table = this.view(call, pointer, size * 8);
    return Array.from({ length: size }, (_, i) =>
      this.#context.bytes(call, table.getUint32(i * 8, true), table.getUint32(i * 8 + 4, true)),
    );
  }
}

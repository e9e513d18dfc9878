import { encodeInput } from '../../../sdk/protocol/index.ts';
import { MemoryState } from '../../workbench/memory-state.ts';
import { execute } from '../execute.ts';
import { jobOf, loadWat } from '../testing/modules.ts';
import type { JobBudget, JobLimits, Outcome } from '../types.ts';
import { ERRNO, OPEN, RIGHTS } from './constants.ts';
import { WASI_SIGNATURES, type WasiCall } from './index.ts';

/** One call of a program, and what its answer means. */
export interface Step {
  call: WasiCall;
  /** In the order of the call; a text is passed as pointer and length, `OUT` is where the answer goes. */
  args: (number | bigint | string | typeof OUT | Buffers)[];
  /** Bytes that the call may write. */
  outBytes?: number;
  decode?(out: Buffer): unknown;
}

export const OUT = Symbol('out');

/** Buffers of a read or write, as pointer to their table and count. */
interface Buffers {
  texts?: string[];
  /** Reads into what lies behind the first 8 bytes of the answer. */
  room?: number;
}

interface OpenOptions {
  create?: boolean;
  exclusive?: boolean;
  truncate?: boolean;
  directory?: boolean;
  append?: boolean;
  /** Reads only. */
  read?: boolean;
  at?: number;
}

const ROOT = 3;

export const open = (path: string, options: OpenOptions = {}): Step => ({
  call: 'path_open',
  args: [
    options.at ?? ROOT,
    0,
    path,
    (options.create ? OPEN.CREATE : 0) |
      (options.exclusive ? OPEN.EXCLUSIVE : 0) |
      (options.truncate ? OPEN.TRUNCATE : 0) |
      (options.directory ? OPEN.DIRECTORY : 0),
    options.read ? RIGHTS.READ : RIGHTS.READ | RIGHTS.WRITE,
    0n,
    options.append ? 1 : 0,
    OUT,
  ],
  outBytes: 4,
  decode: (out) => out.readUInt32LE(0),
});
const sized = (call: WasiCall, args: Step['args']): Step => ({
  call,
  args: [...args, OUT],
  outBytes: 4,
  decode: (out) => out.readUInt32LE(0),
});
const textRead = (call: WasiCall, args: Step['args'], room: number): Step => ({
  call,
  args: [...args, OUT],
  outBytes: 8 + room,
  decode: (out) => out.subarray(8, 8 + out.readUInt32LE(0)).toString('latin1'),
});
export const close = (fd: number): Step => ({ call: 'fd_close', args: [fd] });
export const sync = (fd: number): Step => ({ call: 'fd_sync', args: [fd] });
export const write = (fd: number, ...texts: string[]): Step => sized('fd_write', [fd, { texts }]);
export const read = (fd: number, room = 64): Step => textRead('fd_read', [fd, { room }], room);
export const pwrite = (fd: number, offset: number, ...texts: string[]): Step =>
  sized('fd_pwrite', [fd, { texts }, BigInt(offset)]);
export const pread = (fd: number, offset: number, room = 64): Step =>
  textRead('fd_pread', [fd, { room }, BigInt(offset)], room);
export const seek = (fd: number, offset: number, whence: number): Step => ({
  call: 'fd_seek',
  args: [fd, BigInt(offset), whence, OUT],
  outBytes: 8,
  decode: (out) => Number(out.readBigUInt64LE(0)),
});
export const resize = (fd: number, size: number): Step => ({ call: 'fd_filestat_set_size', args: [fd, BigInt(size)] });
export const mkdir = (path: string, fd = ROOT): Step => ({ call: 'path_create_directory', args: [fd, path] });
export const rmdir = (path: string, fd = ROOT): Step => ({ call: 'path_remove_directory', args: [fd, path] });
export const unlink = (path: string, fd = ROOT): Step => ({ call: 'path_unlink_file', args: [fd, path] });
export const rename = (from: string, to: string, fd = ROOT): Step => ({
  call: 'path_rename',
  args: [fd, from, fd, to],
});
export const stat = (path: string, fd = ROOT): Step => ({
  call: 'path_filestat_get',
  args: [fd, 0, path, OUT],
  outBytes: 64,
  decode: (out) => (out.readUInt8(16) === 3 ? 'directory' : Number(out.readBigUInt64LE(32))),
});

/** The names from `cookie` on that fit into `room`, a cut off one with `...`. */
export const readdir = (fd: number, room = 4096, cookie = 0n): Step => ({
  call: 'fd_readdir',
  args: [fd, OUT, room, cookie, OUT],
  outBytes: 8 + room,
  decode(out) {
    const names: string[] = [];
    const end = 8 + out.readUInt32LE(0);
    for (let at = 8; at + 24 <= end;) {
      const length = out.readUInt32LE(at + 16);
      const name = out.subarray(at + 24, Math.min(end, at + 24 + length)).toString();
      names.push(at + 24 + length > end ? `${name}...` : out.readUInt8(at + 20) === 3 ? `${name}/` : name);
      at += 24 + length;
    }
    return names;
  },
});

export interface ProgramOptions {
  state?: MemoryState;
  method?: string;
  limits?: Partial<JobLimits>;
  budget?: JobBudget;
  /** Without a service there is no state. */
  isWithoutService?: boolean;
}

export interface Ran {
  /** What each step answered: its decoded answer, `ok`, or the name of its errno. */
  answers: unknown[];
  outcome: Outcome;
}

/** Runs a WASI command that makes these calls, in the real engine; an update that ends well changes `state`. */
export function runProgram(steps: readonly Step[], options: ProgramOptions = {}): Ran {
  const { state = new MemoryState(), method = 'POST', limits = {}, budget, isWithoutService = false } = options;
  const { wat, places } = programOf(steps);
  const seed = new Uint8Array(32);
  const input = encodeInput({ method, path: '/', query: '', headers: {}, timeMs: 1000, seed }, 'me');
  const job = jobOf(loadWat(wat), {
    input,
    limits: { fuelMax: 1e10, memoryPagesMax: 1024, outputBytesMax: 2 ** 26, ...limits },
    ...(budget && { budget }),
  });
  const outcome = execute(isWithoutService ? job : { ...job, state: { view: state, writable: method !== 'GET' } });
  if (outcome.changes !== undefined) state.apply(outcome.changes);
  const body = Buffer.from(outcome.body);
  const answers = places.map(({ step, at }) => {
    if (body.length < at + 8) return undefined;
    const errno = body.readUInt32LE(at);
    if (errno !== 0) return Object.entries(ERRNO).find(([, number]) => number === errno)?.[0] ?? errno;
    return step.decode?.(body.subarray(at + 8)) ?? 'ok';
  });
  return { answers, outcome };
}

const TEXTS_AT = 1024;

/** Straight on, one call after the other; at the end it writes all answers to stdout. */
export function programOf(steps: readonly Step[]): { wat: string; places: { step: Step; at: number }[] } {
  const data: string[] = [];
  let at = TEXTS_AT;
  const put = (bytes: Buffer): number => {
    const start = at;
    data.push(
      `(data (i32.const ${start}) "${[...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')}")`,
    );
    at = Math.ceil((at + bytes.length) / 8) * 8;
    return start;
  };
  const texts = new Map<string, number>();
  const textAt = (text: string): number => {
    // One char for each byte, so that steps can pass what is no UTF-8.
    if (!texts.has(text)) texts.set(text, put(Buffer.from(text, 'latin1')));
    return texts.get(text)!;
  };
  const prepared = steps.map((step) => {
    for (const arg of step.args) {
      if (typeof arg === 'string') textAt(arg);
      else if (typeof arg === 'object') arg.texts?.forEach(textAt);
    }
    const tables = step.args.map((arg) =>
      typeof arg === 'object' ? put(Buffer.alloc(8 * (arg.texts?.length ?? 1))) : 0,
    );
    return { step, tables };
  });
  const answersAt = at;
  const places: { step: Step; at: number }[] = [];
  const code: string[] = [];
  for (const { step, tables } of prepared) {
    const place = at;
    at = Math.ceil((at + 8 + (step.outBytes ?? 0)) / 8) * 8;
    places.push({ step, at: place - answersAt });
    const pushed = step.args.flatMap((arg, i) => {
      if (typeof arg === 'bigint') return [`(i64.const ${arg})`];
      if (typeof arg === 'number') return [`(i32.const ${arg})`];
      if (typeof arg === 'string') return [`(i32.const ${textAt(arg)}) (i32.const ${arg.length})`];
      // The answer's own number comes first, what is read behind it.
      if (arg === OUT) return [`(i32.const ${place + (step.call === 'fd_readdir' && i === 1 ? 16 : 8)})`];
      const ranges = arg.texts?.map((text) => [textAt(text), text.length]) ?? [[place + 16, arg.room ?? 0]];
      const table = tables[i] ?? 0;
      for (const [n, [pointer, length]] of ranges.entries()) {
        code.push(`(i32.store (i32.const ${table + n * 8}) (i32.const ${pointer}))`);
        code.push(`(i32.store (i32.const ${table + n * 8 + 4}) (i32.const ${length}))`);
      }
      return [`(i32.const ${table}) (i32.const ${ranges.length})`];
    });
    const called = `(call $${step.call} ${pushed.join(' ')})`;
    code.push(step.call === 'proc_exit' ? called : `(i32.store (i32.const ${place}) ${called})`);
  }
  const stdout = `(i32.store8 (i32.const 64) (i32.const 10)) (i32.store (i32.const 32) (i32.const 64)) (i32.store (i32.const 36) (i32.const 1))
    (i32.store (i32.const 40) (i32.const ${answersAt})) (i32.store (i32.const 44) (i32.const ${at - answersAt}))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 2) (i32.const 48)))`;
  const calls = [...new Set<WasiCall>(['fd_write', ...steps.map(({ call }) => call)])].map(importWat);
  const wat = `(module ${calls.join('\n')} (memory (export "memory") ${Math.ceil((at + 1) / 65_536)}) ${data.join('\n')}
    (func (export "_start") ${code.join('\n')} ${stdout}))`;
  return { wat, places };
}

export function importWat(name: WasiCall): string {
  const { params, results } = WASI_SIGNATURES[name];
  return `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${params.join(' ')}) (result ${results.join(' ')})))`;
}

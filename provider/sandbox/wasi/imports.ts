import type { JobContext } from '../engine/job-context.ts';
import { ERRNO, WASI_LIMITS, WASI_PRICES } from './constants.ts';
import { createDescriptorCalls } from './descriptor-calls.ts';
import { Errno } from './errno.ts';
import { GuestMemory } from './guest-memory.ts';
import { createPathCalls } from './path-calls.ts';
import { ProcessExit, type Process } from './process.ts';
import { WASI_SIGNATURES, type WasiCall } from './signatures.ts';

export type WasiCalls = Partial<Record<WasiCall, (...args: never[]) => number | void>>;

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const CLOCKS = 4;
const NS_PER_MS = 1_000_000n;

/**
 * WASI preview 1 for a command that speaks CGI: three streams, the request as environment, the task's time and its random
 * stream, the state as its files. A range outside memory ends the job, as in the ABI's own calls; everything else that is
 * wrong answers an errno.
 */
export function createWasiImports(context: JobContext, process: Process): WebAssembly.ModuleImports {
  const memory = new GuestMemory(context);
  const calls: WasiCalls = {
    ...createProcessCalls(context, process, memory),
    ...createDescriptorCalls(process, memory),
    ...createPathCalls(context, process, memory),
  };
  const imports: WebAssembly.ModuleImports = Object.create(null);
  for (const name of Object.keys(WASI_SIGNATURES) as WasiCall[]) {
    const call = calls[name] as ((...args: unknown[]) => number | void) | undefined;
    imports[name] = (...args: unknown[]): number | void => {
      context.burn(WASI_PRICES.call);
      if (call === undefined) return ERRNO.NOSYS;
      try {
        return call(...args);
      } catch (error) {
        if (error instanceof Errno) return error.number;
        throw error;
      }
    };
  }
  return imports;
}

/** Arguments, environment, time, randomness and the end. */
function createProcessCalls(context: JobContext, process: Process, memory: GuestMemory): WasiCalls {
  function listGet(
    name: WasiCall,
    parts: readonly Uint8Array[],
    bytes: number,
    pointers: number,
    target: number,
  ): number {
    context.burn(WASI_PRICES.byte * (bytes + parts.length * 4));
    const table = memory.view(name, pointers, parts.length * 4);
    const text = memory.bytes(name, target, bytes);
    let at = 0;
    for (const [index, part] of parts.entries()) {
      table.setUint32(index * 4, (target >>> 0) + at, true);
      text.set(part, at);
      at += part.length;
    }
    return ERRNO.SUCCESS;
  }

  return {
    args_sizes_get(count: number, size: number): number {
      memory.setUint32('args_sizes_get', count, process.request.args.length);
      return memory.setUint32('args_sizes_get', size, process.request.argsBytes);
    },
    args_get: (pointers: number, target: number) =>
      listGet('args_get', process.request.args, process.request.argsBytes, pointers, target),
    environ_sizes_get(count: number, size: number): number {
      memory.setUint32('environ_sizes_get', count, process.request.environment.length);
      return memory.setUint32('environ_sizes_get', size, process.request.environmentBytes);
    },
    environ_get: (pointers: number, target: number) =>
      listGet('environ_get', process.request.environment, process.request.environmentBytes, pointers, target),

    clock_res_get(clock: number, target: number): number {
      if (clock >>> 0 >= CLOCKS) return ERRNO.INVAL;
      return memory.setUint64('clock_res_get', target, NS_PER_MS);
    },
    clock_time_get(clock: number, _precision: bigint, target: number): number {
      if (clock >>> 0 >= CLOCKS) return ERRNO.INVAL;
      return memory.setUint64('clock_time_get', target, BigInt(context.job.timeMs) * NS_PER_MS);
    },
    random_get(target: number, length: number): number {
      context.burn(WASI_PRICES.randomByte * (length >>> 0));
      context.random.fill(memory.bytes('random_get', target, length));
      return ERRNO.SUCCESS;
    },
    sched_yield: () => ERRNO.SUCCESS,
    proc_exit(exitCode: number): void {
      throw new ProcessExit(exitCode >>> 0);
    },

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
      return memory.setUint32('poll_oneoff', done, size);
    },
  };
}

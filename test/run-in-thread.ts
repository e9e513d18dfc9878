import { normalizeRequest } from '../sdk/client/index.ts';
import type { CallRequest } from '../sdk/client/index.ts';
import { encodeInput, rawCid } from '../sdk/protocol/index.ts';
import { compileModule } from '../provider/modules/index.ts';
import { createNodeHost, execute } from '../provider/sandbox/index.ts';
import type { LoadedModule, Outcome } from '../provider/sandbox/index.ts';
import { buildModule } from './build-module.ts';

/** Enough for every handler's tests, and an end for one that would run for ever. */
const LIMITS = { fuelMax: 20e9, memoryPagesMax: 1024, outputBytesMax: 64 * 1024 * 1024, timeoutMs: 60_000 };

export interface ThreadOptions {
  caller?: string;
  /** Files by the hexadecimal digits of their binary CID. */
  files?: ReadonlyMap<string, Uint8Array>;
  limits?: Partial<typeof LIMITS>;
}

/** Metered and checked like every handler, ready for `runInThread`. */
export function loadModule(wasm: Uint8Array): LoadedModule {
  return { ...compileModule(wasm), cid: rawCid(wasm).toString() };
}

/** One of the project's handlers, built, metered and checked. */
export async function loadHandler(name: string): Promise<LoadedModule> {
  return loadModule(await buildModule(name));
}

/** Runs a handler with the sandbox's own engine in this thread: quick enough for thousands of runs. */
export function runInThread(module: LoadedModule, request: CallRequest, options: ThreadOptions = {}): Outcome {
  const job = normalizeRequest(request);
  return runInput(module, encodeInput(job, options.caller ?? 'test'), { ...options, ...job });
}

/** The same with any bytes as the task's input. */
export function runInput(
  module: LoadedModule,
  input: Uint8Array,
  {
    files = new Map(),
    limits,
    timeMs = 0,
    seed = new Uint8Array(32),
  }: ThreadOptions & { timeMs?: number; seed?: Uint8Array } = {},
): Outcome {
  const fileOf = (cid: Uint8Array): Uint8Array => {
    const file = files.get(Buffer.from(cid).toString('hex'));
    if (file === undefined) throw new Error('The test has no such file.');
    return file;
  };
  const host = createNodeHost({
    readFile: (cid, offset, length) => fileOf(cid).subarray(offset, offset + length),
    fileSize: (cid) => fileOf(cid).length,
  });
  return execute({ module, input, seed, timeMs, limits: { ...LIMITS, ...limits } }, host);
}

export function textOf({ body }: Outcome): string {
  return new TextDecoder().decode(body);
}

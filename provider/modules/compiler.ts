import { extname } from 'node:path';
import { Piscina } from 'piscina';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { WORKER_START_FILE, workerEnv } from '../sandbox/index.ts';
import type { CompileAnswer } from './compile-worker.ts';
import { compileModule, type Compiled } from './compile.ts';
import { ModuleError } from './errors.ts';

/** A module up to this size is compiled where it is: that takes a millisecond or two, the way to a thread as much. */
const INLINE_BYTES_MAX = 32 * 1024;
const IDLE_MS = 10_000;
const ENTRY = new URL(`./compile-worker${extname(import.meta.filename)}`, import.meta.url).href;

/**
 * Meters and compiles modules. Large ones go to a thread of their own, so that a stranger's module stops neither the
 * provider's event loop nor, when it takes for ever, anything but that thread.
 */
export class Compiler {
  readonly #timeoutMs: number;
  #pool: Piscina<Uint8Array, CompileAnswer> | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  async compile(cid: string, bytes: Uint8Array, signal: AbortSignal): Promise<Compiled> {
    try {
      return bytes.length <= INLINE_BYTES_MAX ? compileModule(bytes) : await this.#inThread(cid, bytes, signal);
    } catch (error) {
      if (error instanceof ModuleError || signal.aborted) throw error;
      if (!(error instanceof WorkswapError)) throw compileFailed(cid, error, bytes.length);
      const { code, message, fault } = error;
      throw new ModuleError(code, message, { fault, cid, cause: error, sizeBytes: bytes.length });
    }
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
    this.#pool = undefined;
  }

  async #inThread(cid: string, bytes: Uint8Array, signal: AbortSignal): Promise<Compiled> {
    this.#pool ??= new Piscina({
      filename: WORKER_START_FILE,
      workerData: { entry: ENTRY },
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      env: workerEnv(),
    });
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    // A copy of exactly these bytes: they may be a view on something larger. (Of a Buffer `slice` would be one too.)
    const copy = Uint8Array.from(bytes);
    try {
      const answer = await this.#pool.run(Piscina.move(copy) as Uint8Array, {
        signal: AbortSignal.any([signal, timeout]),
      });
      if ('compiled' in answer) return answer.compiled;
      const { code, message, fault } = answer.refused;
      throw new ModuleError(code, message, { fault, cid, sizeBytes: bytes.length });
    } catch (error) {
      if (signal.aborted || !timeout.aborted) throw error;
      throw new ModuleError(
        'MODULE_TOO_SLOW',
        `Compiling the handler ${cid} took longer than ${this.#timeoutMs} ms. Build it smaller.`,
        {
          fault: 'handler',
          cid,
          sizeBytes: bytes.length,
        },
      );
    }
  }
}

/** The engine refused what the metering had accepted, or it had no memory left: either way not the handler's fault. */
function compileFailed(cid: string, cause: unknown, sizeBytes: number): ModuleError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const init = { fault: 'provider', retryable: true, cid, cause, sizeBytes } as const;
  return new ModuleError('COMPILE_FAILED', `The metered handler ${cid} could not be compiled: ${reason}`, init);
}

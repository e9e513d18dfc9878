import { ABI_LIMITS } from '../abi/limits.ts';
import type { JobContext } from '../engine/job-context.ts';
import { JobEnd } from '../errors.ts';
import { encodeCgiHead, findBlankLine, invalid } from './cgi-head.ts';
import { WASI_LIMITS, WASI_PRICES } from './constants.ts';
import { Descriptors, StreamDescriptor } from './descriptors.ts';
import { toCgiRequest, type CgiRequest } from './environment.ts';
import { Files } from './files.ts';

/** Thrown through the handler's frames by `proc_exit`; never leaves the engine. */
export class ProcessExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** What the operating system would know of the process that runs: its request, its files, and how far its streams are. */
export class Process {
  readonly #context: JobContext;
  readonly files: Files;
  readonly descriptors = new Descriptors();
  readonly #streams: readonly StreamDescriptor[];
  #request: CgiRequest | undefined;
  #stdinAt = 0;
  /** Stdout up to the blank line. */
  #head = new Uint8Array(0);
  #headSize = 0;
  #headDone = false;
  #errors = new Uint8Array(0);

  constructor(context: JobContext) {
    this.#context = context;
    this.files = new Files(context);
    this.#streams = [
      new StreamDescriptor({ read: (target) => this.#readStdin(target) }),
      new StreamDescriptor({ write: (bytes) => this.#writeStdout(bytes) }),
      new StreamDescriptor({ write: (bytes) => this.#writeStderr(bytes) }),
    ];
    this.reset();
  }

  reset(): void {
    this.files.reset();
    this.descriptors.reset(this.#streams);
    this.#request = undefined;
    this.#stdinAt = 0;
    this.#head = new Uint8Array(0);
    this.#headSize = 0;
    this.#headDone = false;
    this.#errors = new Uint8Array(0);
  }

  get request(): CgiRequest {
    if (this.#request === undefined) {
      const { input } = this.#context.job;
      this.#context.burn(WASI_PRICES.request + WASI_PRICES.requestByte * input.length);
      this.#request = toCgiRequest(input);
    }
    return this.#request;
  }

  #readStdin(target: Uint8Array): number {
    const part = this.request.body.subarray(this.#stdinAt, this.#stdinAt + target.length);
    // Only what is there is paid for: programs read into large buffers.
    this.#context.burn(WASI_PRICES.byte * part.length);
    target.set(part);
    this.#stdinAt += part.length;
    return part.length;
  }

  #writeStderr(bytes: Uint8Array): void {
    this.#context.burn(WASI_PRICES.stderrByte * bytes.length);
    this.#context.log(2, bytes);
    const max = WASI_LIMITS.errorTailBytesMax;
    const tail = new Uint8Array(Math.min(max, this.#errors.length + bytes.length));
    const fresh = bytes.subarray(Math.max(0, bytes.length - max));
    const kept = tail.length - fresh.length;
    tail.set(this.#errors.subarray(this.#errors.length - kept));
    tail.set(fresh, kept);
    this.#errors = tail;
  }

  #writeStdout(bytes: Uint8Array): void {
    this.#context.burn(WASI_PRICES.byte * bytes.length);
    if (this.#headDone) {
      this.#emit(bytes);
      return;
    }
    const size = this.#headSize + bytes.length;
    if (size > this.#head.length) {
      const grown = new Uint8Array(Math.max(size, this.#head.length * 2, 256));
      grown.set(this.#head.subarray(0, this.#headSize));
      this.#head = grown;
    }
    this.#head.set(bytes, this.#headSize);
    const written = this.#head.subarray(0, size);
    const found = findBlankLine(written, this.#headSize);
    this.#headSize = size;
    if ((found?.end ?? size) > ABI_LIMITS.headBytesMax) {
      throw invalid(`its header lines have more than ${ABI_LIMITS.headBytesMax} bytes`);
    }
    if (found === undefined) return;
    this.#headDone = true;
    this.#emit(encodeCgiHead(written.subarray(0, found.end)));
    if (found.body < size) this.#emit(written.subarray(found.body));
    this.#head = new Uint8Array(0);
  }

  /** The process has ended by itself; its files are saved. @throws JobEnd when that was no success, or left no response */
  finish(exitCode: number): void {
    if (exitCode !== 0) {
      const tail = this.#context.text(this.#errors).trim();
      throw new JobEnd(
        'HANDLER_FAILED',
        tail === '' ? `The handler exited with code ${exitCode}.` : `The handler exited with code ${exitCode}: ${tail}`,
      );
    }
    if (!this.#headDone) throw invalid('it has no blank line behind its header lines');
    this.files.saveAll();
  }

  #emit(bytes: Uint8Array): void {
    const { output } = this.#context;
    output.assertRoom(bytes.length);
    this.#context.spend({ output: bytes.length });
    output.write(bytes);
  }
}

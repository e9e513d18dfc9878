import { ABI_LIMITS } from '../abi/limits.ts';
import type { JobContext } from '../engine/job-context.ts';
import { JobEnd } from '../errors.ts';
import { WASI_LIMITS, WASI_PRICES } from './constants.ts';
import { Errno } from './errno.ts';
import { byteLength } from './file-path.ts';

/** Bytes that the host holds for the open files of one job. */
export interface Held {
  bytes: number;
}

/**
 * A file that is open, once for all who opened it. It is read from the state in pieces; from its first change on, all of
 * it is held here, and becomes a file of the state when it is saved.
 */
export class OpenFile {
  readonly #context: JobContext;
  readonly #held: Held;
  /** Undefined once it was removed: it is there for those who have it open. */
  path: string | undefined;
  size: number;
  /** How many have it open. */
  users = 0;
  /** All of it, with room behind it. */
  #content: Uint8Array | undefined;
  #isChanged = false;
  #ahead = new Uint8Array(0);
  #aheadAt = 0;

  constructor(context: JobContext, held: Held, path: string, size: number) {
    this.#context = context;
    this.#held = held;
    this.path = path;
    this.size = size;
  }

  /** Fills `target` with what stands at `offset`; fewer bytes only at the end. */
  read(offset: number, target: Uint8Array): number {
    const end = Math.min(this.size, offset + target.length);
    if (offset >= end) return 0;
    this.#context.burn(WASI_PRICES.byte * (end - offset));
    for (let at = offset; at < end;) {
      const part = this.#content?.subarray(at, end) ?? this.#partAt(at).subarray(0, end - at);
      target.set(part, at - offset);
      at += part.length;
    }
    return end - offset;
  }

  /** Writes at `offset`; what lies between it and the end before is zeros. @throws Errno FBIG; JobEnd */
  write(offset: number, bytes: Uint8Array): void {
    this.#context.burn(WASI_PRICES.byte * bytes.length);
    if (bytes.length === 0) return;
    const end = offset + bytes.length;
    const content = this.#changeable(Math.max(end, this.size));
    content.set(bytes, offset);
    this.size = Math.max(end, this.size);
  }

  /** @throws Errno FBIG; JobEnd */
  resize(size: number): void {
    if (size === 0) this.#drop();
    const content = this.#changeable(size);
    content.fill(0, Math.min(size, this.size), this.size);
    this.size = size;
  }

  /** Makes its content that of the state's file; it costs what `state_write` does. @throws JobEnd */
  save(): void {
    if (!this.#isChanged || this.path === undefined || this.#content === undefined) return;
    writeFile(this.#context, this.path, this.#content.slice(0, this.size));
    this.#isChanged = false;
  }

  /** It is not in the state any more, or not for long: those who have it open keep its content. */
  detach(): void {
    if (this.#content === undefined) this.#load(this.size);
    this.path = undefined;
  }

  close(): void {
    this.#drop();
  }

  #drop(): void {
    this.#held.bytes -= this.#content?.length ?? 0;
    this.#content = undefined;
    this.size = 0;
  }

  /** All of the content, with room for so many bytes. */
  #changeable(size: number): Uint8Array {
    if (size > ABI_LIMITS.fileBytesMax) throw new Errno('FBIG');
    this.#isChanged = true;
    const before = this.#content;
    if (before === undefined) return this.#load(size);
    if (size <= before.length) return before;
    const grown = this.#hold(Math.min(ABI_LIMITS.fileBytesMax, Math.max(size, before.length * 2)));
    this.#context.burn(WASI_PRICES.byte * grown.length);
    grown.set(before.subarray(0, this.size));
    this.#held.bytes -= before.length;
    this.#content = grown;
    return grown;
  }

  #load(room: number): Uint8Array {
    const content = this.#hold(Math.max(room, this.size));
    this.#context.burn(WASI_PRICES.byte * content.length);
    for (let at = 0; at < this.size;) {
      const part = this.#partAt(at);
      content.set(part, at);
      at += part.length;
    }
    this.#content = content;
    return content;
  }

  #hold(bytes: number): Uint8Array {
    if (this.#held.bytes + bytes > WASI_LIMITS.openBytesMax) {
      const max = `${WASI_LIMITS.openBytesMax} bytes of open files that it changes`;
      throw new JobEnd('STATE_LIMIT', `The handler holds more than ${max}. Close them one by one.`);
    }
    this.#held.bytes += bytes;
    return new Uint8Array(bytes);
  }

  /** What the state has from `offset` on: some of it, never nothing. */
  #partAt(offset: number): Uint8Array {
    const start = offset - (offset % WASI_LIMITS.readAheadBytes);
    if (this.#ahead.length === 0 || start !== this.#aheadAt) {
      this.#context.charge('state_read', Math.min(WASI_LIMITS.readAheadBytes, this.size - start));
      const found = this.#context.state.read(this.path ?? '', start, WASI_LIMITS.readAheadBytes);
      if (found === undefined || found.length <= offset - start) throw new Error('a file is shorter than its size');
      this.#ahead = found.slice();
      this.#aheadAt = start;
    }
    return this.#ahead.subarray(offset - start);
  }
}

/** Replaces a file of the state; `content` is kept. @throws JobEnd */
export function writeFile(context: JobContext, path: string, content: Uint8Array): void {
  const written = byteLength(path) + content.length;
  context.charge('state_write', content.length);
  context.state.assertWritable(written);
  context.spend({ written });
  context.state.write(path, content, written);
}

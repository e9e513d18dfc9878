import type { Fault } from '../../../sdk/protocol/errors.ts';
import type { LogLine, Outcome, OutcomeError, StateChanges } from '../types.ts';

/** How the results of a batch come back: a record of float64s for each job, then the bytes. */
const RESULT_FIELDS = 10;
const DIGEST_BYTES = 32;
const KIND_OUTCOME = 0;
const KIND_FAILURE = 1;
const KIND_NOT_RUN = 2;

/** An end without an outcome, as it crosses. */
export interface WireFailure {
  code: string;
  message: string;
  fault: Fault;
  retryable: boolean;
}

export type WireResult =
  | { kind: 'outcome'; outcome: Outcome }
  | { kind: 'failure'; failure: WireFailure; elapsedMs: number }
  /** The main thread took the job back before the worker came to it, or the batch was full. */
  | { kind: 'notRun' };

/** What is rare travels as JSON. */
interface Extra {
  error?: OutcomeError;
  logs?: LogLine[];
  failure?: WireFailure;
  /** What was removed, and the paths and sizes of what was written, whose bytes follow. */
  changes?: { removed: readonly string[]; written: [path: string, size: number][] };
  /** Recipients and sizes of messages, whose bodies follow behind those. */
  messages?: [to: string, size: number][];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);
/** Larger buffers are not kept from batch to batch. */
const KEPT_BYTES_MAX = 256 * 1024;
const START_BYTES = 4096;

/** Collects the results of a batch while it runs: an outcome's views do not outlive the next job. */
export class ResultWriter {
  #numbers = new Float64Array(0);
  #bytes = new Uint8Array(START_BYTES);
  #size = 0;
  #count = 0;
  #jobs = 0;

  reset(jobCount: number): void {
    if (this.#numbers.length < jobCount * RESULT_FIELDS) this.#numbers = new Float64Array(jobCount * RESULT_FIELDS);
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = new Uint8Array(START_BYTES);
    this.#size = 0;
    this.#count = 0;
    this.#jobs = jobCount;
  }

  get byteLength(): number {
    return this.#jobs * RESULT_FIELDS * 8 + this.#size;
  }

  outcome(outcome: Outcome): void {
    const { error, logs, changes, messages } = outcome;
    const isPlain = error === undefined && logs.length === 0 && changes === undefined && messages === undefined;
    const extra: Extra | undefined = isPlain
      ? undefined
      : {
          ...(error && { error }),
          logs,
          ...(changes && { changes: listed(changes) }),
          ...(messages && { messages: messages.map(({ to, body }) => [to, body.length]) }),
        };
    const { head, body, outputDigest } = outcome;
    const at = this.#record(KIND_OUTCOME, outcome.elapsedMs, head, body, outputDigest, extra);
    this.#numbers[at + 5] = outcome.fuel;
    this.#numbers[at + 6] = outcome.memoryPagesPeak;
    this.#numbers[at + 7] = outcome.readBytes;
    this.#numbers[at + 8] = outcome.status;
    this.#numbers[at + 9] = outcome.writtenBytes;
    for (const content of changes?.written.values() ?? []) this.#append(content);
    for (const { body } of messages ?? []) this.#append(body);
  }

  failure(failure: WireFailure, elapsedMs: number): void {
    this.#record(KIND_FAILURE, elapsedMs, nothing, nothing, nothing, { failure });
  }

  notRun(): void {
    this.#record(KIND_NOT_RUN, 0, nothing, nothing, nothing, undefined);
  }

  /** Writes all of it at `byteOffset`, a multiple of eight. */
  copyTo(buffer: ArrayBufferLike, byteOffset: number): void {
    const count = this.#jobs * RESULT_FIELDS;
    new Float64Array(buffer, byteOffset, count).set(this.#numbers.subarray(0, count));
    new Uint8Array(buffer, byteOffset + count * 8, this.#size).set(this.#bytes.subarray(0, this.#size));
  }

  #record(
    kind: number,
    elapsedMs: number,
    head: Uint8Array,
    body: Uint8Array,
    digest: Uint8Array,
    extra: Extra | undefined,
  ): number {
    const at = this.#count * RESULT_FIELDS;
    this.#count += 1;
    const extraBytes = extra === undefined ? nothing : encoder.encode(JSON.stringify(extra));
    this.#numbers[at] = kind;
    this.#numbers[at + 1] = elapsedMs;
    this.#numbers[at + 2] = head.length;
    this.#numbers[at + 3] = body.length;
    this.#numbers[at + 4] = extraBytes.length;
    this.#append(head);
    this.#append(body);
    this.#append(digest);
    this.#append(extraBytes);
    return at;
  }

  #append(part: Uint8Array): void {
    if (part.length === 0) return;
    const size = this.#size + part.length;
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#size);
    this.#size = size;
  }
}

/**
 * Reads the results of a batch of `count` jobs. `decodeHeaders` reads the headers out of a head that the engine has
 * accepted. An outcome's bytes, head, body and digest in one, are copies of exactly these bytes, unless its message was its alone:
 * a view could reach a neighbour's.
 */
export function readResults(
  buffer: ArrayBufferLike,
  byteOffset: number,
  count: number,
  decodeHeaders: (head: Uint8Array) => Record<string, string>,
): WireResult[] {
  const numbers = new Float64Array(buffer, byteOffset, count * RESULT_FIELDS);
  const owned = count === 1 && buffer instanceof ArrayBuffer;
  let offset = byteOffset + numbers.byteLength;
  const part = (length: number): Uint8Array => {
    if (length === 0) return new Uint8Array(0);
    const view = new Uint8Array(buffer, offset, length);
    offset += length;
    return owned ? view : view.slice();
  };
  const results: WireResult[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * RESULT_FIELDS;
    const field = (index: number): number => numbers[at + index] ?? 0;
    const kind = field(0);
    const outputBytes = field(2) + field(3);
    const output = part(outputBytes + (kind === KIND_OUTCOME ? DIGEST_BYTES : 0));
    const head = output.subarray(0, field(2));
    const body = output.subarray(field(2), outputBytes);
    const extraBytes = part(field(4));
    if (kind === KIND_NOT_RUN) {
      results.push({ kind: 'notRun' });
      continue;
    }
    const extra = extraBytes.length === 0 ? {} : (JSON.parse(decoder.decode(extraBytes)) as Extra);
    if (extra.failure !== undefined) {
      results.push({ kind: 'failure', failure: extra.failure, elapsedMs: field(1) });
      continue;
    }
    const outcome: Outcome = {
      ...(extra.error && { error: extra.error }),
      head,
      body,
      status: field(8),
      headers: head.length === 0 ? {} : decodeHeaders(head),
      fuel: field(5),
      memoryPagesPeak: field(6),
      outputBytes,
      outputDigest: output.subarray(outputBytes),
      readBytes: field(7),
      writtenBytes: field(9),
      logs: extra.logs ?? [],
      elapsedMs: field(1),
    };
    if (extra.changes !== undefined) {
      const { removed, written } = extra.changes;
      outcome.changes = { removed, written: new Map(written.map(([path, size]) => [path, part(size)])) };
    }
    if (extra.messages !== undefined) outcome.messages = extra.messages.map(([to, size]) => ({ to, body: part(size) }));
    results.push({ kind: 'outcome', outcome });
  }
  return results;
}

function listed({ removed, written }: StateChanges): NonNullable<Extra['changes']> {
  return { removed, written: [...written].map(([path, content]) => [path, content.length]) };
}

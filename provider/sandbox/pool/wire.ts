import type { Fault } from '../../../sdk/protocol/errors.ts';
import type { JobBudget, JobLimits, LogLine, Outcome, OutcomeError } from '../types.ts';

/**
 * How a batch of jobs crosses to a worker and its results come back: one ArrayBuffer each way, since a structured clone
 * of an object with its buffers costs more than a small job. First a record of float64s for each job, then the bytes.
 * Both ends are ours, so nothing is checked here.
 */
const JOB_FIELDS = 19;
const RESULT_FIELDS = 9;
const HEADER_FIELDS = 3;
const SEED_BYTES = 32;

export interface WireJob {
  moduleId: number;
  input: Uint8Array;
  seed: Uint8Array;
  timeMs: number;
  limits: JobLimits;
  budget?: JobBudget;
}

export interface WireBatch {
  slot: number;
  generation: number;
  jobs: WireJob[];
}

/** What `encodeBatch` takes: a job and the number of its module. */
export interface NumberedJob {
  job: Omit<WireJob, 'moduleId'>;
  record: { id: number };
}

export function encodeBatch(slot: number, generation: number, jobs: readonly NumberedJob[]): ArrayBuffer {
  const fixedBytes = (HEADER_FIELDS + jobs.length * JOB_FIELDS) * 8;
  let size = fixedBytes;
  for (const { job } of jobs) size += SEED_BYTES + job.input.length;
  const buffer = new ArrayBuffer(size);
  const numbers = new Float64Array(buffer, 0, fixedBytes / 8);
  const bytes = new Uint8Array(buffer);
  numbers[0] = slot;
  numbers[1] = generation;
  numbers[2] = jobs.length;
  let at = HEADER_FIELDS;
  let offset = fixedBytes;
  for (const { job, record } of jobs) {
    const { input, seed, timeMs, limits, budget } = job;
    numbers[at] = record.id;
    numbers[at + 1] = timeMs;
    numbers[at + 2] = limits.fuelMax;
    numbers[at + 3] = limits.memoryPagesMax;
    numbers[at + 4] = limits.outputBytesMax;
    numbers[at + 5] = limits.timeoutMs;
    numbers[at + 6] = offset;
    numbers[at + 7] = input.length;
    bytes.set(seed, offset);
    bytes.set(input, offset + SEED_BYTES);
    offset += SEED_BYTES + input.length;
    if (budget !== undefined) {
      const { rates } = budget;
      numbers[at + 8] = 1;
      numbers[at + 9] = budget.priceMax;
      numbers[at + 10] = budget.compiledBytes;
      numbers[at + 11] = rates.job;
      numbers[at + 12] = rates.compile;
      numbers[at + 13] = rates.input;
      numbers[at + 14] = rates.output;
      numbers[at + 15] = rates.read;
      numbers[at + 16] = rates.fuel;
      numbers[at + 17] = rates.memory;
    }
    at += JOB_FIELDS;
  }
  return buffer;
}

/** The jobs' inputs and seeds are views on the message. */
export function decodeBatch(buffer: ArrayBuffer): WireBatch {
  const header = new Float64Array(buffer, 0, HEADER_FIELDS);
  const [slot = 0, generation = 0, count = 0] = header;
  const numbers = new Float64Array(buffer, HEADER_FIELDS * 8, count * JOB_FIELDS);
  const jobs: WireJob[] = [];
  for (let i = 0; i < count; i++) {
    const field = (index: number): number => numbers[i * JOB_FIELDS + index] ?? 0;
    const offset = field(6);
    const job: WireJob = {
      moduleId: field(0),
      timeMs: field(1),
      limits: { fuelMax: field(2), memoryPagesMax: field(3), outputBytesMax: field(4), timeoutMs: field(5) },
      seed: new Uint8Array(buffer, offset, SEED_BYTES),
      input: new Uint8Array(buffer, offset + SEED_BYTES, field(7)),
    };
    if (field(8) === 1) {
      job.budget = {
        priceMax: field(9),
        compiledBytes: field(10),
        rates: {
          job: field(11),
          compile: field(12),
          input: field(13),
          output: field(14),
          read: field(15),
          fuel: field(16),
          memory: field(17),
        },
      };
    }
    jobs.push(job);
  }
  return { slot, generation, jobs };
}

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

const KIND_OUTCOME = 0;
const KIND_FAILURE = 1;
const KIND_NOT_RUN = 2;

/** What is rare travels as JSON. */
interface Extra {
  error?: OutcomeError;
  logs?: LogLine[];
  failure?: WireFailure;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);

/** Collects the results of a batch while it runs: an outcome's views do not outlive the next job. */
export class ResultWriter {
  readonly #numbers: Float64Array;
  #bytes = new Uint8Array(1024);
  #size = 0;
  #count = 0;

  constructor(jobCount: number) {
    this.#numbers = new Float64Array(jobCount * RESULT_FIELDS);
  }

  get size(): number {
    return this.#size;
  }

  outcome(outcome: Outcome): void {
    const { error, logs } = outcome;
    const extra = error === undefined && logs.length === 0 ? undefined : { ...(error && { error }), logs };
    const at = this.#record(KIND_OUTCOME, outcome.elapsedMs, outcome.head, outcome.body, extra);
    this.#numbers[at + 5] = outcome.fuel;
    this.#numbers[at + 6] = outcome.memoryPagesPeak;
    this.#numbers[at + 7] = outcome.readBytes;
    this.#numbers[at + 8] = outcome.status;
  }

  failure(failure: WireFailure, elapsedMs: number): void {
    this.#record(KIND_FAILURE, elapsedMs, nothing, nothing, { failure });
  }

  notRun(): void {
    this.#record(KIND_NOT_RUN, 0, nothing, nothing, undefined);
  }

  finish(): ArrayBuffer {
    const fixedBytes = this.#numbers.byteLength;
    const buffer = new ArrayBuffer(fixedBytes + this.#size);
    new Float64Array(buffer, 0, this.#numbers.length).set(this.#numbers);
    new Uint8Array(buffer, fixedBytes).set(this.#bytes.subarray(0, this.#size));
    return buffer;
  }

  #record(kind: number, elapsedMs: number, head: Uint8Array, body: Uint8Array, extra: Extra | undefined): number {
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

/** `decodeHeaders` reads the headers out of a head that the engine has accepted. */
export function decodeResults(
  buffer: ArrayBuffer,
  count: number,
  decodeHeaders: (head: Uint8Array) => Record<string, string>,
): WireResult[] {
  const numbers = new Float64Array(buffer, 0, count * RESULT_FIELDS);
  let offset = numbers.byteLength;
  // The outcome of a batch with one job may own the message; others get copies, or a view could reach a neighbour's bytes.
  const part = (length: number): Uint8Array => {
    if (length === 0) return new Uint8Array(0);
    const view = new Uint8Array(buffer, offset, length);
    offset += length;
    return count === 1 ? view : view.slice();
  };
  const results: WireResult[] = [];
  for (let i = 0; i < count; i++) {
    const field = (index: number): number => numbers[i * RESULT_FIELDS + index] ?? 0;
    const kind = field(0);
    const head = part(field(2));
    const body = part(field(3));
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
      outputBytes: head.length + body.length,
      readBytes: field(7),
      logs: extra.logs ?? [],
      elapsedMs: field(1),
    };
    results.push({ kind: 'outcome', outcome });
  }
  return results;
}

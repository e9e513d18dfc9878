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

export function encodeBatch(slot: number, generation: number, jobs: readonly WireJob[]): ArrayBuffer {
  const fixedBytes = (HEADER_FIELDS + jobs.length * JOB_FIELDS) * 8;
  let size = fixedBytes;
  for (const job of jobs) size += SEED_BYTES + job.input.length;
  const buffer = new ArrayBuffer(size);
  const numbers = new Float64Array(buffer, 0, fixedBytes / 8);
  const bytes = new Uint8Array(buffer);
  numbers[0] = slot;
  numbers[1] = generation;
  numbers[2] = jobs.length;
  let at = HEADER_FIELDS;
  let offset = fixedBytes;
  for (const { moduleId, input, seed, timeMs, limits, budget } of jobs) {
    numbers[at] = moduleId;
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
    this.#record(
      [KIND_OUTCOME, outcome.elapsedMs, outcome.fuel, outcome.memoryPagesPeak, outcome.readBytes, outcome.status],
      [outcome.head, outcome.body, encodeExtra(extra)],
    );
  }

  failure(failure: WireFailure, elapsedMs: number): void {
    this.#record([KIND_FAILURE, elapsedMs, 0, 0, 0, 0], [nothing, nothing, encodeExtra({ failure })]);
  }

  notRun(): void {
    this.#record([KIND_NOT_RUN, 0, 0, 0, 0, 0], [nothing, nothing, nothing]);
  }

  finish(): ArrayBuffer {
    const fixedBytes = this.#numbers.byteLength;
    const buffer = new ArrayBuffer(fixedBytes + this.#size);
    new Float64Array(buffer, 0, this.#numbers.length).set(this.#numbers);
    new Uint8Array(buffer, fixedBytes).set(this.#bytes.subarray(0, this.#size));
    return buffer;
  }

  #record(fields: number[], parts: Uint8Array[]): void {
    const at = this.#count * RESULT_FIELDS;
    this.#count += 1;
    this.#numbers.set(fields, at);
    for (const [i, part] of parts.entries()) {
      this.#numbers[at + 6 + i] = part.length;
      this.#append(part);
    }
  }

  #append(part: Uint8Array): void {
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

function encodeExtra(extra: Extra | undefined): Uint8Array {
  return extra === undefined ? nothing : encoder.encode(JSON.stringify(extra));
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
    const view = new Uint8Array(buffer, offset, length);
    offset += length;
    return count === 1 ? view : view.slice();
  };
  const results: WireResult[] = [];
  for (let i = 0; i < count; i++) {
    const field = (index: number): number => numbers[i * RESULT_FIELDS + index] ?? 0;
    const kind = field(0);
    const head = part(field(6));
    const body = part(field(7));
    const extraBytes = part(field(8));
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
      status: field(5),
      headers: head.length === 0 ? {} : decodeHeaders(head),
      fuel: field(2),
      memoryPagesPeak: field(3),
      outputBytes: head.length + body.length,
      readBytes: field(4),
      logs: extra.logs ?? [],
      elapsedMs: field(1),
    };
    results.push({ kind: 'outcome', outcome });
  }
  return results;
}

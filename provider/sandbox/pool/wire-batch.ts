import type { JobBudget, JobLimits } from '../types.ts';

/**
 * How a batch of jobs crosses to a worker: a record of float64s for each job, then the bytes. Both ends are ours, so
 * nothing is checked here.
 */
const JOB_FIELDS = 21;
const HEADER_FIELDS = 1;
const SEED_BYTES = 32;
const NO_DELIVERY = -1;
const STATE_NONE = 0;
const STATE_READ_ONLY = 1;
const STATE_WRITABLE = 2;

export interface WireJob {
  moduleId: number;
  input: Uint8Array;
  seed: Uint8Array;
  timeMs: number;
  limits: JobLimits;
  budget?: JobBudget;
  /** That the job has a state, and whether it may change it; its content is asked for. */
  state?: { writable: boolean };
  delivery?: { followUps: number };
}

/** What `writeBatch` takes: a job and the number of its module. */
export interface NumberedJob {
  job: Omit<WireJob, 'moduleId'>;
  record: { id: number };
}

export function batchBytes(jobs: readonly NumberedJob[]): number {
  let size = (HEADER_FIELDS + jobs.length * JOB_FIELDS) * 8;
  for (const { job } of jobs) size += SEED_BYTES + job.input.length;
  return size;
}

/** Writes a batch at `byteOffset`, a multiple of eight; there must be room for `batchBytes`. */
export function writeBatch(buffer: ArrayBufferLike, byteOffset: number, jobs: readonly NumberedJob[]): void {
  const count = HEADER_FIELDS + jobs.length * JOB_FIELDS;
  const numbers = new Float64Array(buffer, byteOffset, count);
  const bytes = new Uint8Array(buffer, byteOffset);
  numbers[0] = jobs.length;
  let at = HEADER_FIELDS;
  let offset = count * 8;
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
    numbers[at + 19] = job.state === undefined ? STATE_NONE : job.state.writable ? STATE_WRITABLE : STATE_READ_ONLY;
    numbers[at + 20] = job.delivery === undefined ? NO_DELIVERY : job.delivery.followUps;
    // Mailboxes are used again and again, so every field is written.
    numbers[at + 8] = budget === undefined ? 0 : 1;
    if (budget !== undefined) {
      const { rates } = budget;
      numbers[at + 9] = budget.priceMax;
      numbers[at + 10] = budget.compiledBytes;
      numbers[at + 11] = rates.job;
      numbers[at + 12] = rates.compile;
      numbers[at + 13] = rates.input;
      numbers[at + 14] = rates.output;
      numbers[at + 15] = rates.read;
      numbers[at + 16] = rates.fuel;
      numbers[at + 17] = rates.memory;
      numbers[at + 18] = rates.write;
    }
    at += JOB_FIELDS;
  }
}

/** Reads a batch; its inputs and seeds are views on the buffer. */
export function readBatch(buffer: ArrayBufferLike, byteOffset: number): WireJob[] {
  const [count = 0] = new Float64Array(buffer, byteOffset, HEADER_FIELDS);
  const numbers = new Float64Array(buffer, byteOffset + HEADER_FIELDS * 8, count * JOB_FIELDS);
  const jobs: WireJob[] = [];
  for (let i = 0; i < count; i++) {
    const field = (index: number): number => numbers[i * JOB_FIELDS + index] ?? 0;
    const offset = byteOffset + field(6);
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
          write: field(18),
        },
      };
    }
    if (field(19) !== STATE_NONE) job.state = { writable: field(19) === STATE_WRITABLE };
    if (field(20) !== NO_DELIVERY) job.delivery = { followUps: field(20) };
    jobs.push(job);
  }
  return jobs;
}

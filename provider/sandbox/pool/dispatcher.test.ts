import { afterEach, expect, test } from 'vitest';
import type { SandboxError } from '../errors.ts';
import { defaultLimits, type SandboxLimits } from '../limits.ts';
import { jobOf, loadHandler } from '../testing/modules.ts';
import type { JobSpec, Outcome } from '../types.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Entry } from './entry.ts';
import { FairQueue } from './fair-queue.ts';
import { ModuleRecord } from './module-records.ts';

/**
 * Goal: what shares a worker's message with a bad neighbour loses nothing by it. Method: the dispatcher is told that the
 * jobs are small instead of finding out by their times, so that they share one message on every machine.
 */
const limits: SandboxLimits = { ...defaultLimits(), threads: 1, spareThreads: 1 };
const queue = new FairQueue<Entry>(1);
const dispatchers: Dispatcher[] = [];
afterEach(async () => {
  await Promise.all(dispatchers.splice(0).map((each) => each.stop(0)));
});

function dispatcher(parts: Partial<SandboxLimits> = {}): Dispatcher {
  const created = new Dispatcher({ ...limits, ...parts }, queue, {});
  dispatchers.push(created);
  return created;
}

/** A record of many jobs that took next to no time. */
function smallRecord(): ModuleRecord {
  const record = new ModuleRecord(1, 0);
  record.count = 1000;
  return record;
}

/** Puts a job in the queue; answers with its end. */
function enqueue(job: JobSpec, record: ModuleRecord): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const entry: Entry = {
    job,
    record,
    consumer: '',
    priority: 0,
    reservedBytes: 0,
    batch: undefined,
    index: 0,
    expectedMs: 0,
    lost: 0,
    cancelledMs: undefined,
    cancelReason: undefined,
    fetching: undefined,
    settled: false,
    resolve: (outcome) => {
      entry.settled = true;
      resolve(outcome);
    },
    reject: (error) => {
      entry.settled = true;
      reject(error);
    },
  };
  queue.push(entry);
  return promise;
}

/** Answers with its input, or, when the input's first byte is set, never. */
const sometimesEndless = loadHandler({
  imports: ['input_read'],
  body: `(drop (call $input_read (i32.const 64) (i32.const 0) (i32.const 2)))
    (if (i32.load8_u (i32.const 64)) (then (loop $l (br $l))))
    (call $ok) (call $output_write (i32.const 64) (i32.const 2))`,
});

test.each([
  ['in front of them', 0],
  ['among them', 7],
  ['behind them', 29],
])('a job that is stopped takes no job of its batch with it: %s', async (_, guilty) => {
  const started = dispatcher();
  const record = smallRecord();
  const ends = Array.from({ length: 30 }, (__, i) => {
    const input = Uint8Array.of(i === guilty ? 1 : 0, i);
    const timeoutMs = i === guilty ? 100 : 60_000;
    const job = jobOf(sometimesEndless, { input, limits: { timeoutMs, fuelMax: Number.MAX_SAFE_INTEGER } });
    return enqueue(job, record).then(
      (outcome) => outcome.body[1],
      (error: SandboxError) => error.code,
    );
  });
  started.pump();
  // All of them are in one message now.
  expect(started.counters.batches).toBe(1);
  expect(queue.size).toBe(0);
  expect(await Promise.all(ends)).toEqual(Array.from({ length: 30 }, (__, i) => (i === guilty ? 'JOB_TIMEOUT' : i)));
  expect(started.counters.workersLost).toBe(1);
});

test('a worker that crashes loses the job that it ran and no other, and has a successor', async () => {
  // Ten thousand exports with names of a kilobyte are more than this worker's JavaScript heap holds.
  const exports = Array.from({ length: 9900 }, (_, i) => `(func (export "${'x'.repeat(1000)}${i}"))`);
  const crashing = loadHandler({ fields: exports.join('') });
  const started = dispatcher({ workerHeapBytesMax: 12 * 1024 * 1024 });
  const record = smallRecord();
  const crashRecord = new ModuleRecord(2, 0);
  crashRecord.count = 1000;
  const run = (): Promise<(number | string | undefined)[]> => {
    const ends = Array.from({ length: 10 }, (_, i) => {
      const end =
        i === 4
          ? enqueue(jobOf(crashing), crashRecord)
          : enqueue(jobOf(sometimesEndless, { input: Uint8Array.of(0, i) }), record);
      return end.then(
        (outcome) => outcome.body[1],
        (error: SandboxError) => error.code,
      );
    });
    started.pump();
    return Promise.all(ends);
  };
  for (const round of [1, 2, 3]) {
    expect(await run()).toEqual(Array.from({ length: 10 }, (_, i) => (i === 4 ? 'WORKER_LOST' : i)));
    expect(started.counters.workersLost).toBe(round);
  }
  expect(started.reservedBytes).toBe(0);
  expect(started.runningJobs).toBe(0);
});

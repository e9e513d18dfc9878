import createPlugin from '@extism/extism';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { compileModule } from '../provider/modules/index.ts';
import { createSandbox, SandboxError } from '../provider/sandbox/index.ts';
import type { JobSpec } from '../provider/sandbox/index.ts';
import { jobOf, loadHandler, parseWat } from '../provider/sandbox/testing/modules.ts';
import { buildHandler } from '../sdk/build/index.ts';
import { encodeInput } from '../sdk/protocol/index.ts';
import { median, percentile, spread } from './measure.ts';
import type { Figure } from './types.ts';

const HELLO = fileURLToPath(new URL('../handlers/hello/assembly/index.ts', import.meta.url));
const ROUNDS = 7;
const LATENCY_JOBS = 2000;
const DEEP_JOBS = 10_000;
const DEPTH = 64;
const STOPS = 15;
const SLOWDOWN_ROUNDS = 5;

/** The pool against an empty piscina task in the same run, and how workers and jobs disturb one another. */
export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-bench-'));
  const emptyFile = join(directory, 'empty.cjs');
  await writeFile(emptyFile, 'module.exports = () => 0;\n');
  const empty = new Piscina({ filename: emptyFile, minThreads: 2, maxThreads: 2 });
  const sandbox = createSandbox({ threads: 2 });
  try {
    const job = await helloJob();
    const ours = (): Promise<unknown> => sandbox.run(job);
    const theirs = (): Promise<unknown> => empty.run(0);
    for (const each of [ours, theirs]) {
      await latencies(each);
      await rate(each);
    }
    const p50: number[] = [];
    const p99: number[] = [];
    const emptyP50: number[] = [];
    const rates: number[] = [];
    const emptyRates: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const their = await latencies(theirs);
      const our = await latencies(ours);
      emptyP50.push(percentile(their, 0.5));
      p50.push(percentile(our, 0.5));
      p99.push(percentile(our, 0.99));
      emptyRates.push(await rate(theirs));
      rates.push(await rate(ours));
      progress(
        `depth 1: ${Math.round(p50.at(-1)!)} us (empty task ${Math.round(emptyP50.at(-1)!)} us), ` +
          `depth ${DEPTH}: ${Math.round(rates.at(-1)!)} jobs/s (empty tasks ${Math.round(emptyRates.at(-1)!)}/s)`,
      );
    }
    const ratios = rates.map((each, i) => each / emptyRates[i]!);
    progress('stopping loops ...');
    const stops = await stopTimes();
    progress('extism ...');
    const extism = await extismRatios(ours);
    progress('4 workers ...');
    const slowdowns = await slowdown();
    return [
      {
        name: 'warmP50Us',
        value: median(p50),
        unit: 'us',
        better: 'lower',
        goal: 60,
        spread: spread(p50),
        peer: { name: 'empty piscina task', value: median(emptyP50) },
        note: 'hello, depth 1, through the pool',
      },
      { name: 'warmP99Us', value: median(p99), unit: 'us', better: 'lower', goal: 300, spread: spread(p99) },
      {
        name: 'jobsPerSecond',
        value: median(rates),
        unit: 'jobs/s',
        better: 'higher',
        spread: spread(rates),
        peer: { name: 'empty piscina tasks', value: median(emptyRates) },
        note: `hello, depth ${DEPTH}, 2 workers`,
      },
      {
        name: 'versusEmptyTask',
        value: median(ratios),
        unit: 'ratio',
        better: 'higher',
        goal: 0.5,
        spread: spread(ratios),
        note: 'above 1 because small jobs share messages',
      },
      {
        name: 'workersSlowdown',
        value: median(slowdowns),
        unit: 'ratio',
        better: 'lower',
        goal: 2.2,
        spread: spread(slowdowns),
        note: "4 workers at once: each job's time against the same job alone; goal for 2 cores",
      },
      {
        name: 'stopMs',
        value: percentile(stops, 0.5),
        unit: 'ms',
        better: 'lower',
        goal: 50,
        spread: spread(stops),
        note: 'from cancelling a loop round an 8 MB memory.fill to the end of the next job in its place: grace, termination, a new worker',
      },
      {
        name: 'versusExtism',
        value: median(extism.ratios),
        unit: 'ratio',
        better: 'higher',
        goal: 3,
        spread: spread(extism.ratios),
        peer: { name: '@extism/extism, a new plugin for each call, jobs/s', value: median(extism.rates) },
        note: `ours at depth ${DEPTH} on 2 workers; theirs in the calling thread, its faster way, without fuel`,
      },
      {
        name: 'versusWorkerd',
        value: null,
        unit: 'ratio',
        better: 'higher',
        note: 'its package has an install script; not installed',
      },
    ];
  } finally {
    await sandbox.close();
    await empty.destroy();
    await rm(directory, { recursive: true, force: true });
  }
}

async function helloJob(): Promise<JobSpec> {
  const { wasm } = await buildHandler(HELLO);
  const { cacheBytes: _, ...compiled } = compileModule(wasm);
  const seed = new Uint8Array(32);
  const request = { method: 'GET', path: '/', query: 'name=bench', headers: {}, seed, timeMs: 0 };
  return jobOf({ cid: 'hello', ...compiled }, { input: encodeInput(request, 'bench') });
}

/** Microseconds of calls made one after the other. */
async function latencies(call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < LATENCY_JOBS; i++) {
    const started = performance.now();
    await call();
    times.push((performance.now() - started) * 1000);
  }
  return times;
}

/** Calls per second with so many under way at any time. */
async function rate(call: () => Promise<unknown>): Promise<number> {
  let begun = 0;
  const line = async (): Promise<void> => {
    while (begun < DEEP_JOBS) {
      begun += 1;
      await call();
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: DEPTH }, line));
  return (begun / (performance.now() - started)) * 1000;
}

const EXTISM_CALLS = 2000;

/** Extism's answer to hello: reads nothing, allocates its output and sets it. */
const EXTISM_WAT = `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "handle") (result i32) (local $at i64)
    (local.set $at (call $alloc (i64.const 8)))
    (call $store (local.get $at) (i64.const 0x216f6c6c6548))
    (call $output (local.get $at) (i64.const 8))
    (i32.const 0)))`;

/** Calls per second of ours and theirs in turn. */
async function extismRatios(ours: () => Promise<unknown>): Promise<{ ratios: number[]; rates: number[] }> {
  const module = new WebAssembly.Module(parseWat(EXTISM_WAT) as Uint8Array<ArrayBuffer>);
  const theirs = async (): Promise<void> => {
    const plugin = await createPlugin({ wasm: [{ module }] }, { useWasi: false });
    await plugin.call('handle', 'bench');
    await plugin.close();
  };
  const ratios: number[] = [];
  const rates: number[] = [];
  for (let i = 0; i < 4; i++) {
    const started = performance.now();
    for (let call = 0; call < EXTISM_CALLS; call++) await theirs();
    const their = (EXTISM_CALLS / (performance.now() - started)) * 1000;
    const our = await rate(ours);
    // The first round warms up.
    if (i === 0) continue;
    rates.push(their);
    ratios.push(our / their);
  }
  return { ratios, rates };
}

async function stopTimes(): Promise<number[]> {
  // The handler asks for a size first, which tells that it runs.
  const module = loadHandler({
    imports: ['block_size'],
    memory: '200 200',
    fields: '(data (i32.const 1000) "\\01\\55\\00\\00")',
    body: `(drop (call $block_size (i32.const 1000) (i32.const 4)))
      (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 8388608)) (br $l))`,
  });
  let started = Promise.withResolvers<void>();
  const sandbox = createSandbox({
    threads: 1,
    fileSize: async () => {
      started.resolve();
      return 0;
    },
  });
  const times: number[] = [];
  try {
    for (let i = 0; i < STOPS; i++) {
      started = Promise.withResolvers<void>();
      const controller = new AbortController();
      const job = jobOf(module, { limits: { fuelMax: Number.MAX_SAFE_INTEGER } });
      const ended = sandbox.run(job, { signal: controller.signal }).catch((error: unknown) => error);
      await started.promise;
      await sleep(30);
      const before = performance.now();
      controller.abort();
      if (!((await ended) instanceof SandboxError)) throw new Error('the loop was not stopped');
      // The next job runs only when the thread is gone: then it is stopped in truth.
      await sandbox.run(jobOf(module, { limits: { fuelMax: 1 } }));
      times.push(performance.now() - before);
      await sleep(300);
    }
  } finally {
    await sandbox.close();
  }
  return times;
}

/** How much longer a job takes when it runs on four workers at once. */
async function slowdown(): Promise<number[]> {
  const module = loadHandler({
    body: `(local $i i32) (local $x f64)
      (loop $l
        (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 0.999)) (f64.convert_i32_u (local.get $i))))
        (i32.store (i32.and (local.get $i) (i32.const 32764)) (local.get $i))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000000))))
      (call $ok)`,
  });
  const sandbox = createSandbox({ threads: 4 });
  try {
    const job = jobOf(module, { limits: { fuelMax: Number.MAX_SAFE_INTEGER } });
    const elapsed = async (): Promise<number> => (await sandbox.run(job)).elapsedMs;
    await Promise.all([1, 2, 3, 4].map(elapsed));
    const ratios: number[] = [];
    for (let i = 0; i < SLOWDOWN_ROUNDS; i++) {
      const alone = median([await elapsed(), await elapsed(), await elapsed()]);
      const together = await Promise.all([1, 2, 3, 4].map(elapsed));
      ratios.push(median(together) / alone);
    }
    return ratios;
  } finally {
    await sandbox.close();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

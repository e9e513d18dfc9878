import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { compileModule } from '../../provider/modules/index.ts';
import { createSandbox } from '../../provider/sandbox/index.ts';
import type { JobSpec } from '../../provider/sandbox/index.ts';
import { jobOf } from '../../provider/sandbox/testing/modules.ts';
import { buildHandler } from '../../sdk/build/index.ts';
import { encodeInput } from '../../sdk/protocol/index.ts';
import { median, percentile, spread } from '../measure.ts';
import type { Figure } from '../types.ts';
import { extismRatios } from './extism.ts';
import { DEPTH, latencies, rate } from './load.ts';
import { slowdown } from './slowdown.ts';
import { READ, stateCallTimes, WRITE } from './state-calls.ts';
import { stopTimes } from './stop.ts';
import { NO_WORKERD } from '../workerd/process.ts';
import { workerdRatios } from './workerd.ts';

const HELLO = fileURLToPath(new URL('../../handlers/hello/assembly/index.ts', import.meta.url));
/** Many short rounds in turn: what disturbs the machine for a while disturbs both sides. */
const ROUNDS = 21;
const WARMUP_ROUNDS = 3;

/** The pool against an empty piscina task in the same run, and how workers and jobs disturb one another. */
export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-bench-'));
  const emptyFile = join(directory, 'empty.cjs');
  await writeFile(emptyFile, 'module.exports = () => 0;\n');
  const empty = new Piscina({ filename: emptyFile, minThreads: 2, maxThreads: 2 });
  const sandbox = createSandbox({ threads: 2 });
  try {
    const { job, wasm } = await helloJob();
    const ours = (): Promise<unknown> => sandbox.run(job);
    const theirs = (): Promise<unknown> => empty.run(0);
    for (let i = 0; i < WARMUP_ROUNDS; i++) {
      for (const each of [ours, theirs]) {
        await latencies(each);
        await rate(each);
      }
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
    const latencyRatios = p50.map((each, i) => each / emptyP50[i]!);
    progress('stopping loops ...');
    const stops = await stopTimes();
    const stopMedians = new Map([...stops].map(([name, times]) => [name, median(times)]));
    progress('extism ...');
    const extism = await extismRatios(ours);
    progress('workerd ...');
    const workerd = await workerdRatios(ours, wasm, job.input);
    progress('4 workers ...');
    const slowdowns = await slowdown();
    const stateCalls = await stateCallTimes(progress);
    const stateFigure = (name: string, call: string): Figure => {
      const { us, cpuUs, nsPerFuel } = stateCalls.find((each) => each.name === call)!;
      const note = `${call}, from a handler in the pool at 10,000 files; ${cpuUs.toFixed(1)} us of CPU time, ${nsPerFuel.toFixed(2)} ns a unit of fuel`;
      return { name, value: us, unit: 'us', better: 'lower', note };
    };
    return [
      {
        name: 'warmP50Us',
        value: median(p50),
        unit: 'us',
        better: 'lower',
        goal: 60,
        spread: spread(p50),
        peer: { name: 'empty piscina task', value: median(emptyP50) },
        note: `hello, depth 1, through the pool; ${median(latencyRatios).toFixed(2)} times an empty piscina task (median of the rounds' ratios)`,
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
        value: median(slowdowns.wall),
        unit: 'ratio',
        better: 'lower',
        goal: 2.2,
        spread: spread(slowdowns.wall),
        note: `4 workers at once: each job's time against the same job alone; goal for 2 cores. In CPU time: ${median(slowdowns.cpu).toFixed(2)}`,
      },
      {
        name: 'stopMs',
        value: Math.max(...stopMedians.values()),
        unit: 'ms',
        better: 'lower',
        goal: 50,
        spread: spread([...stops.values()].flat()),
        note: `the slowest of the medians, from cancelling a loop to the end of the next job in its place: ${[...stopMedians].map(([name, ms]) => `${name} ${ms.toFixed(0)}`).join(', ')}`,
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
      stateFigure('stateReadUs', READ),
      stateFigure('stateWriteUs', WRITE),
      workerd === undefined
        ? NO_WORKERD
        : {
            name: 'versusWorkerd',
            value: median(workerd.ratios),
            unit: 'ratio',
            better: 'higher',
            spread: spread(workerd.ratios),
            peer: { name: 'workerd, a new instance for each request, requests/s', value: median(workerd.rates) },
            note: `the same handler without meter; theirs over HTTP on loopback, their only door, ${DEPTH} connections`,
          },
    ];
  } finally {
    await sandbox.close();
    await empty.destroy();
    await rm(directory, { recursive: true, force: true });
  }
}

async function helloJob(): Promise<{ job: JobSpec; wasm: Uint8Array }> {
  const { wasm } = await buildHandler(HELLO);
  const { cacheBytes: _, ...compiled } = compileModule(wasm);
  const seed = new Uint8Array(32);
  const request = { method: 'GET', path: '/', query: 'name=bench', headers: {}, seed, timeMs: 0 };
  return { job: jobOf({ cid: 'hello', ...compiled }, { input: encodeInput(request, 'bench') }), wasm };
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import type { Consumer } from '../../provider/consumer.ts';
import { createConsumer } from '../../provider/consumer.ts';
import type { Client } from '../../sdk/client/index.ts';
import { buildHandler } from '../../sdk/build/index.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import { startProvider } from '../../test/processes.ts';
import { startEcho } from './echo.ts';
import { cpuUs, median, percentile, spread } from '../measure.ts';
import type { Figure } from '../types.ts';

const HELLO = fileURLToPath(new URL('../../handlers/hello/assembly/index.ts', import.meta.url));
const DEPTH = 128;
const JOBS_PER_RUN = 5000;
const RUNS = 5;
const LATENCY_JOBS = 1000;
const FIRST_ANSWERS = 5;
const LIMITS = { outputBytesMax: 16 * 1024, priceMaxBytes: 1024 * 1024, memoryPagesMax: 16 };

/**
 * The job protocol end to end: the provider is its own process, as a user starts it, both sides keep their ledger and
 * receipts on disk, and every job is metered, priced, booked durably, signed and checked.
 */
export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-bench-'));
  const consumer = await createConsumer({ dataDir: join(directory, 'consumer') });
  const config = join(directory, 'workswap.toml');
  // The bench is about speed: credit for the one consumer is not to end in the middle of it.
  await writeFile(config, `[credit.overrides]\n${consumer.libp2p.peerId.toString()} = "unlimited"\n`);
  const provider = await startProvider({ data: join(directory, 'provider'), config });
  const echo = await startEcho();
  try {
    const client = await consumer.connect(provider.addrs[0]!);
    const { wasm } = await buildHandler(HELLO);
    const hello = rawCid(wasm);
    await consumer.blocks.put(hello, wasm);
    progress('warming up ...');
    await burst(client, hello, 2000);
    await echo.burst(JOBS_PER_RUN, DEPTH);
    const rates: number[] = [];
    const consumerCpuUs: number[] = [];
    const providerCpuUs: number[] = [];
    const echoRates: number[] = [];
    for (let i = 0; i < RUNS; i++) {
      echoRates.push(await rate(() => echo.burst(JOBS_PER_RUN, DEPTH)));
      const cpu = process.cpuUsage();
      const providerCpu = await cpuUs(provider.child.pid!);
      rates.push(await rate(() => burst(client, hello, JOBS_PER_RUN)));
      const { user, system } = process.cpuUsage(cpu);
      consumerCpuUs.push((user + system) / JOBS_PER_RUN);
      providerCpuUs.push(((await cpuUs(provider.child.pid!)) - providerCpu) / JOBS_PER_RUN);
      progress(`depth ${DEPTH}: ${Math.round(rates.at(-1)!)} jobs/s`);
    }
    const latencies: number[] = [];
    for (let i = 0; i < LATENCY_JOBS; i++) {
      const started = performance.now();
      await one(client, hello, i);
      latencies.push(performance.now() - started);
    }
    progress('never-seen modules ...');
    const firsts = await firstAnswers(directory, consumer, client);
    return [
      {
        name: 'jobsPerSecond',
        value: median(rates),
        unit: 'jobs/s',
        better: 'higher',
        goal: 15_000,
        spread: spread(rates),
        peer: { name: 'bare echo over the same libp2p', value: median(echoRates) },
        note: `hello, depth ${DEPTH}, one connection; at least 5,000`,
      },
      {
        name: 'providerCpuUs',
        value: median(providerCpuUs),
        unit: 'us/job',
        better: 'lower',
        spread: spread(providerCpuUs),
        note: 'all threads; what the speed is made of, whoever else uses the machine',
      },
      {
        name: 'consumerCpuUs',
        value: median(consumerCpuUs),
        unit: 'us/job',
        better: 'lower',
        spread: spread(consumerCpuUs),
        note: 'all threads',
      },
      { name: 'latencyP50Ms', value: percentile(latencies, 0.5), unit: 'ms', better: 'lower', note: 'depth 1' },
      { name: 'latencyP99Ms', value: percentile(latencies, 0.99), unit: 'ms', better: 'lower', note: 'depth 1' },
      {
        name: 'firstAnswerMs',
        value: median(firsts),
        unit: 'ms',
        better: 'lower',
        goal: 20,
        spread: spread(firsts),
        note: 'a never-seen 20 KB module, fetched over Bitswap, metered, compiled, run',
      },
    ];
  } finally {
    await echo.stop();
    await consumer.stop();
    await provider.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function rate(burst: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await burst();
  return (JOBS_PER_RUN / (performance.now() - started)) * 1000;
}

async function one(client: Client, handler: CID, i: number): Promise<void> {
  const response = await client.call(handler, { path: `/?name=${i}` }, LIMITS);
  await response.bytes();
  await response.receipt;
}

async function burst(client: Client, handler: CID, jobs: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < jobs) await one(client, handler, next++);
  };
  await Promise.all(Array.from({ length: DEPTH }, worker));
}

async function firstAnswers(directory: string, consumer: Consumer, client: Client): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < FIRST_ANSWERS; i++) {
    const source = join(directory, `fresh${i}.ts`);
    await writeFile(source, freshHandler());
    const { wasm } = await buildHandler(source);
    const cid = rawCid(wasm);
    await consumer.blocks.put(cid, wasm);
    const started = performance.now();
    const response = await client.call(cid, {}, { ...LIMITS, priceMaxBytes: 16 * 1024 * 1024 });
    await response.bytes();
    times.push(performance.now() - started);
  }
  return times;
}

/** A handler with about 18 KB of random data, so that no cache on the way can know it. */
function freshHandler(): string {
  const numbers = [...randomBytes(17_500)].join(',');
  return `import { Request, Response } from 'workswap';
const data: StaticArray<u8> = [${numbers}];
export function handle(req: Request): Response {
  let sum: u32 = 0;
  for (let i = 0; i < data.length; i++) sum += data[i];
  return Response.text(sum.toString());
}
`;
}

import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CID } from 'multiformats/cid';
import { buildHandler } from '../../sdk/build/index.ts';
import { encodeInput, rawCid } from '../../sdk/protocol/index.ts';
import type { TariffRates } from '../../sdk/protocol/index.ts';
import { normalizeRequest } from '../../sdk/client/index.ts';
import type { Client } from '../../sdk/client/index.ts';
import { createConsumer } from '../consumer.ts';
import { HELLO_SOURCE } from './first-job.ts';
import { openLocalEngine } from '../local-engine.ts';
import { formatBytes, formatCount } from './output.ts';

const MANDELBROT = fileURLToPath(new URL('../../handlers/mandelbrot/assembly/index.ts', import.meta.url));
const PEER = join(import.meta.dirname, `calibrate-peer${extname(import.meta.filename)}`);
const ROUNDS = 5;
const JOBS = 2000;
const JOBS_DEPTH = 32;
const FUEL_RUNS = 7;
const COMPILED = 15;
const FETCH_PARALLEL = 8;
/** Bandwidth is the unit of account: a byte of input, output or block costs a byte. */
const BYTE_FOR_BYTE = 1024;
/** Memory held by a job of this many pages costs as much as the fuel that it burns meanwhile. */
const PAGES_AS_DEAR_AS_FUEL = 1024;

export function addCalibrate(program: Command): Command {
  return program
    .command('calibrate')
    .description(
      'Measure this machine and derive a tariff: a job costs as many bytes as Bitswap could have served with the same CPU time.',
    )
    .option('--json', 'print {"tariff", "measured"}')
    .addHelpText(
      'after',
      '\nExample:\n  workswap calibrate >> ~/.workswap/provider/workswap.toml     about 20 seconds, on a quiet machine',
    )
    .action(calibrate);
}

interface Measured {
  /** Bytes that Bitswap serves with one second of CPU time. */
  servedBytesPerCpuSecond: number;
  fuelPerCpuSecond: number;
  cpuSecondsPerJob: number;
  compileSecondsPerKiB: number;
}

async function calibrate({ json }: { json?: boolean }): Promise<void> {
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const network = await measureNetwork(progress);
  const engine = await measureEngine(progress);
  const measured: Measured = { ...network, ...engine };
  const tariff = deriveTariff(measured);
  if (json) {
    console.log(JSON.stringify({ tariff, measured }));
    return;
  }
  progress(
    `Bitswap serves ${formatBytes(measured.servedBytesPerCpuSecond)} with one CPU second; a job that does nothing takes ${(measured.cpuSecondsPerJob * 1e6).toFixed(0)} µs;`,
  );
  progress(`one CPU second burns ${formatCount(Math.round(measured.fuelPerCpuSecond))} units of fuel. So:`);
  console.log('[tariff]');
  for (const [name, value] of Object.entries(tariff)) console.log(`${name} = ${value}`);
}

export function deriveTariff(measured: Measured): TariffRates {
  const { servedBytesPerCpuSecond: served, fuelPerCpuSecond, cpuSecondsPerJob, compileSecondsPerKiB } = measured;
  const fuel = Math.ceil((served / fuelPerCpuSecond) * 1e9);
  return {
    job: Math.ceil(served * cpuSecondsPerJob),
    // A module is fetched from the consumer, who earns its bytes: below byte for byte, sending junk would pay.
    compile: Math.max(BYTE_FOR_BYTE, Math.ceil(served * compileSecondsPerKiB)),
    input: BYTE_FOR_BYTE,
    output: BYTE_FOR_BYTE,
    read: BYTE_FOR_BYTE,
    write: BYTE_FOR_BYTE,
    fuel,
    memory: Math.ceil(fuel / PAGES_AS_DEAR_AS_FUEL),
  };
}

/** A provider in a process of its own, so that its CPU time can be told from ours. */
async function measureNetwork(
  progress: (line: string) => void,
): Promise<Pick<Measured, 'servedBytesPerCpuSecond' | 'cpuSecondsPerJob'>> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-calibrate-'));
  const consumer = await createConsumer();
  const peer = fork(PEER, [directory, consumer.libp2p.peerId.toString()], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(peer, 'exit').then(() => Promise.reject(new Error('The measuring peer ended')));
  ended.catch(() => {});
  const receive = <T>(): Promise<T> => Promise.race([once(peer, 'message').then(([message]) => message as T), ended]);
  const cpuSeconds = async (): Promise<number> => {
    const answer = receive<{ user: number; system: number }>();
    peer.send('usage');
    const { user, system } = await answer;
    return (user + system) / 1e6;
  };
  try {
    const { address, rounds } = await receive<{ address: string; rounds: string[][] }>();
    const client = await consumer.connect(address);
    const served: number[] = [];
    for (const [i, cids] of rounds.entries()) {
      progress(`serving blocks, round ${i + 1} of ${rounds.length} ...`);
      const before = await cpuSeconds();
      const bytes = await fetchAll(cids, (cid) => consumer.bitswap.get(cid, { peers: [client.providerId] }));
      served.push(bytes / ((await cpuSeconds()) - before));
    }
    const { wasm } = await buildHandler(HELLO_SOURCE);
    const hello = rawCid(wasm);
    await consumer.blocks.put(hello, wasm);
    await callMany(client, hello, JOBS / 4);
    const perJob: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      progress(`running empty jobs, round ${i + 1} of ${ROUNDS} ...`);
      const before = await cpuSeconds();
      await callMany(client, hello, JOBS);
      perJob.push(((await cpuSeconds()) - before) / JOBS);
    }
    return { servedBytesPerCpuSecond: median(served), cpuSecondsPerJob: median(perJob) };
  } finally {
    await consumer.stop();
    peer.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function fetchAll(cids: string[], get: (cid: CID) => Promise<Uint8Array>): Promise<number> {
  let bytes = 0;
  const rest = cids.values();
  const worker = async (): Promise<void> => {
    for (const cid of rest) bytes += (await get(CID.parse(cid))).length;
  };
  await Promise.all(Array.from({ length: FETCH_PARALLEL }, worker));
  return bytes;
}

async function callMany(client: Client, handler: CID, jobs: number): Promise<void> {
  let left = jobs;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await client.call(
        handler,
        {},
        { outputBytesMax: 16 * 1024, priceMaxBytes: 1024 * 1024, memoryPagesMax: 16 },
      );
      await response.receipt;
    }
  };
  await Promise.all(Array.from({ length: JOBS_DEPTH }, worker));
}

async function measureEngine(
  progress: (line: string) => void,
): Promise<Pick<Measured, 'fuelPerCpuSecond' | 'compileSecondsPerKiB'>> {
  progress('burning fuel ...');
  const { wasm } = await buildHandler(MANDELBROT);
  const cid = rawCid(wasm);
  const blocks = new Map<string, Uint8Array>([[cid.toString(), wasm]]);
  const engine = await openLocalEngine(undefined, blocks);
  const copies = Array.from({ length: COMPILED }, (): [CID, Uint8Array] => {
    const copy = withNonce(wasm);
    return [rawCid(copy), copy];
  });
  try {
    const compiling: number[] = [];
    for (const [own, bytes] of copies) {
      blocks.set(own.toString(), bytes);
      const before = process.cpuUsage();
      await engine.modules.load(own);
      const { user, system } = process.cpuUsage(before);
      compiling.push((user + system) / 1e6 / (bytes.length / 1024));
    }
    const compileSecondsPerKiB = median(compiling);
    const module = await engine.modules.load(cid);
    const request = normalizeRequest({ path: '/?width=512&height=512' });
    const input = encodeInput(request, 'calibrate');
    const rates: number[] = [];
    for (let i = 0; i < FUEL_RUNS; i++) {
      const outcome = await engine.sandbox.run({
        module,
        input,
        seed: request.seed,
        timeMs: request.timeMs,
        limits: {
          fuelMax: Number.MAX_SAFE_INTEGER,
          memoryPagesMax: 1024,
          outputBytesMax: 16 * 1024 * 1024,
          timeoutMs: 60_000,
        },
      });
      rates.push((outcome.fuel / outcome.elapsedMs) * 1000);
    }
    return { fuelPerCpuSecond: median(rates), compileSecondsPerKiB };
  } finally {
    await engine.close();
  }
}

/** The same module under another CID: with a custom section of random bytes behind it. */
function withNonce(wasm: Uint8Array): Uint8Array {
  const nonce = randomBytes(8);
  return new Uint8Array(Buffer.concat([wasm, Uint8Array.of(0, 1 + nonce.length, 0), nonce]));
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

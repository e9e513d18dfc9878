import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kubo } from '../../test/interop/kubo.ts';
import { startProvider } from '../../test/processes.ts';
import { openOwner } from './owner.ts';

const MIB = Number(process.env['WORKSWAP_BENCH_MIB'] ?? 1024);
/** Pinned by each provider first: programs of which one compiles itself while it runs are compared when both have run for a while. */
const WARM_MIB = 32;
/** No block of the file is smaller, and each begins at a multiple of it. */
const BLOCK_BYTES_MIN = 64 * 1024;
const ROUNDS = Number(process.env['WORKSWAP_BENCH_ROUNDS'] ?? 3);

/** The same file from the same Kubo: pinned by a provider and by another Kubo, in turn, each with nothing of it at first. */
export async function timesBesideKubo(
  progress: (line: string) => void,
): Promise<{ ours: number[]; kubo: number[]; mib: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-bench-pin-'));
  const file = join(directory, 'file');
  const piece = randomBytes(2 ** 20);
  const source = await Kubo.start();
  try {
    progress(`${MIB} MiB into a Kubo ...`);
    const add = async (mib: number, first: number): Promise<string> => {
      await writeFile(file, pieces(piece, mib, first));
      return (await source.run('add', '--quieter', '--cid-version=1', file)).toString().trim();
    };
    const cid = await add(MIB, 0);
    const warm = await add(WARM_MIB, MIB);
    const ours: number[] = [];
    const kubo: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const data = join(directory, String(round));
      ours.push(await timeOfOurs({ data, config: await configIn(directory), source, warm, cid }));
      await rm(data, { recursive: true, force: true });
      kubo.push(await timeOfKubo({ source, warm, cid }));
      progress(`round ${round}: ${(ours.at(-1)! / 1000).toFixed(1)} s, Kubo ${(kubo.at(-1)! / 1000).toFixed(1)} s`);
    }
    return { ours, kubo, mib: MIB };
  } finally {
    await source.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Round {
  source: Kubo;
  warm: string;
  cid: string;
}

async function timeOfOurs({ data, config, source, warm, cid }: Round & { data: string; config: string }) {
  const host = await startProvider({ data, config });
  try {
    const owner = await openOwner(data, host.addrs);
    // As the other Kubo is.
    await source.run('swarm', 'connect', host.addrs[0]!);
    await owner.pin(warm, [source.addr]);
    const ms = await owner.pin(cid, [source.addr]);
    await owner.stop();
    return ms;
  } finally {
    await host.stop();
  }
}

/** A new one each time: one that has collected its garbage may wait for some blocks for minutes. */
async function timeOfKubo({ source, warm, cid }: Round): Promise<number> {
  const other = await Kubo.start();
  try {
    await other.run('swarm', 'connect', source.addr);
    await other.run('pin', 'add', '--progress=false', warm);
    const startMs = performance.now();
    await other.run('pin', 'add', '--progress=false', cid);
    return performance.now() - startMs;
  } finally {
    await other.stop();
  }
}

function* pieces(piece: Buffer, mib: number, first: number): Generator<Buffer> {
  for (let i = 0; i < mib; i++) {
    // In each block, or it would be one that the file has already.
    for (let at = 0; at < piece.length; at += BLOCK_BYTES_MIN) piece.writeUInt32BE(first + i, at);
    yield Buffer.from(piece);
  }
}

async function configIn(directory: string): Promise<string> {
  const path = join(directory, 'workswap.toml');
  await writeFile(path, '[pinning]\nprivateOrigins = true\n');
  return path;
}

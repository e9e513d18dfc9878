import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as dagCbor from '@ipld/dag-cbor';
import { NextToLast } from 'blockstore-fs/sharding';
import type { CID } from 'multiformats/cid';
import { dagCborCid, rawCid } from '../../sdk/protocol/index.ts';
import { startProvider, type ProviderProcess } from '../../test/processes.ts';
import { openOwner } from './owner.ts';

const LEAVES = Number(process.env['WORKSWAP_BENCH_BLOCKS'] ?? 1_000_000);
const LINKS = 1000;
const GARBAGE = LEAVES / 20;
const RESTARTS = 5;
const POLL_MS = 100;

export interface Million {
  blocks: number;
  restartsMs: number[];
  idleMB: number;
  gcMB: number;
  gcSeconds: number;
  removed: number;
}

/** A provider with one pin of a million blocks and some garbage beside them: how it starts, and what a collection takes. */
export async function measureMillion(progress: (line: string) => void): Promise<Million> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-bench-pin-'));
  try {
    progress(`${LEAVES} blocks ...`);
    const { root, blocks } = fill(join(directory, 'blocks'));
    let host = await startProvider({ data: directory });
    let owner = await openOwner(directory, host.addrs);
    progress('pinned where they are ...');
    const pinMs = await owner.pin(root.toString(), []);
    progress(`in ${(pinMs / 1000).toFixed(1)} s; restarts ...`);
    await owner.stop();
    const restartsMs: number[] = [];
    for (let i = 0; i < RESTARTS; i++) {
      await host.kill();
      const startMs = performance.now();
      host = await startProvider({ data: directory });
      restartsMs.push(performance.now() - startMs);
    }
    progress('collection ...');
    const idleMB = await peakMB(host);
    owner = await openOwner(directory, host.addrs);
    const startMs = performance.now();
    let { collection } = await owner.ask({ ask: 'collect', start: true, dryRun: false });
    while (collection?.isRunning !== false) {
      await setTimeout(POLL_MS);
      ({ collection } = await owner.ask({ ask: 'collect', start: false, dryRun: false }));
    }
    if (collection.removed !== GARBAGE) throw new Error(`${collection.removed} blocks were removed, not ${GARBAGE}`);
    const gcSeconds = (performance.now() - startMs) / 1000;
    const gcMB = await peakMB(host);
    await owner.stop();
    await host.stop();
    return { blocks, restartsMs, idleMB, gcMB, gcSeconds, removed: GARBAGE };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Writes files as the block store would, only faster. */
function fill(path: string): { root: CID; blocks: number } {
  const sharding = new NextToLast();
  const made = new Set<string>();
  let blocks = 0;
  const write = (cid: CID, bytes: Uint8Array): string => {
    const { dir, file } = sharding.encode(cid);
    if (!made.has(dir)) mkdirSync(join(path, dir), { recursive: true });
    made.add(dir);
    writeFileSync(join(path, dir, file), bytes);
    return join(path, dir, file);
  };
  const nodes: CID[] = [];
  for (let first = 0; first < LEAVES; first += LINKS) {
    const links = Array.from({ length: Math.min(LINKS, LEAVES - first) }, (_, i) => {
      const bytes = Buffer.from(`leaf ${first + i}`);
      const cid = rawCid(bytes);
      write(cid, bytes);
      return cid;
    });
    const node = dagCbor.encode(links);
    nodes.push(dagCborCid(node));
    write(nodes.at(-1)!, node);
    blocks += links.length + 1;
  }
  const top = dagCbor.encode(nodes);
  const root = dagCborCid(top);
  write(root, top);
  const old = new Date(Date.now() - 86_400_000);
  for (let i = 0; i < GARBAGE; i++) {
    const bytes = Buffer.from(`garbage ${i}`);
    utimesSync(write(rawCid(bytes), bytes), old, old);
  }
  return { root, blocks: blocks + 1 };
}

/** The most memory that the process has had. */
async function peakMB({ child }: ProviderProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
}

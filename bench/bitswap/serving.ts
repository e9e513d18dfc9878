import { readFile } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { peerIdFromString } from '@libp2p/peer-id';
import { startOurs } from '../../test/interop/bitswap-scene.ts';
import { type BlockSet, makeBlocks } from '../../test/interop/content.ts';
import { freshSet, type Implementation, startPeer } from './pairs.ts';

const MIB = 1024 * 1024;
const CROWD = 100;
const BLOCK_BYTES = 256 * 1024;

/** Bytes that came twice for each byte that came, with three peers that have all the blocks. */
export async function duplicateShare(holding: Implementation): Promise<number> {
  const set = freshSet(400, BLOCK_BYTES);
  const holders = await Promise.all([1, 2, 3].map(() => startPeer(holding)));
  const client = await startPeer('ours');
  try {
    for (const holder of holders) {
      await holder.make(set);
      await client.connect(holder.addr);
    }
    await client.fetch(set);
    const { bytesReceived, duplicateBytes } = (await client.seen()) as unknown as Record<string, number>;
    return (duplicateBytes as number) / (bytesReceived as number);
  } finally {
    await Promise.all([client, ...holders].map((peer) => peer.stop()));
  }
}

/**
 * The most memory that a provider of ours used while it served 1 GiB from its disk to 100 peers at once, in MiB; null
 * where the system does not tell.
 */
export async function residentServing(): Promise<number | null> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-bench-'));
  try {
    const sets = Array.from({ length: CROWD }, () => freshSet((10 * MIB) / BLOCK_BYTES, BLOCK_BYTES));
    // Made by a process of its own, whose memory does not count.
    const maker = await startPeer('ours', directory);
    for (const set of sets) await maker.make(set);
    await maker.stop();
    const server = await startPeer('ours', directory);
    const crowd = await Promise.all(sets.map(() => startOurs()));
    try {
      // libp2p refuses more than ten handshakes at once.
      for (const peer of crowd) await peer.libp2p.dial(multiaddr(server.addr));
      await Promise.all(crowd.map((peer, index) => fetchAll(peer, sets[index] as BlockSet, server.peerId)));
      return await peakMiB(server.pid);
    } finally {
      await Promise.all(crowd.map((peer) => peer.stop()));
      await server.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function fetchAll(peer: Awaited<ReturnType<typeof startOurs>>, set: BlockSet, from: string): Promise<void> {
  const session = peer.bitswap.createSession({ peers: [peerIdFromString(from)] });
  const cids = makeBlocks(set).map(({ cid }) => cid);
  const signal = AbortSignal.timeout(120_000);
  for await (const { cid } of session.getMany(cids, { signal })) await peer.blockstore.delete(cid);
}

async function peakMiB(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
  return peak === undefined ? null : Number(peak) / 1024;
}

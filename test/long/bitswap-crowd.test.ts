import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { multiaddr } from '@multiformats/multiaddr';
import { peerIdFromString } from '@libp2p/peer-id';
import { afterEach, expect, test } from 'vitest';
import type { BitswapStats } from '../../provider/bitswap/index.ts';
import { stopHosts } from '../bitswap-host.ts';
import { frameOf, lengthPrefixed, type RawPeer, startRawPeer } from '../bitswap-raw-peer.ts';
import { eventually } from '../interop/bitswap-scene.ts';
import { BlockPeer } from '../interop/block-peer.ts';

/**
 * Goal: what a crowd of hostile peers makes us hold is bounded, is gone when they are, and others are served meanwhile.
 * Method: our peer is a process of its own, so that its memory is its own; the figures are printed.
 */
const PEER = fileURLToPath(new URL('../../bench/bitswap/peer.ts', import.meta.url));
const CROWD = 300;
const MIB = 1024 * 1024;

afterEach(stopHosts);

const fakeCid = (): Uint8Array => Uint8Array.of(1, 0x55, 0x12, 32, ...randomBytes(32));

async function startUs(): Promise<BlockPeer> {
  return BlockPeer.start(process.execPath, ['--expose-gc', PEER, 'ours']);
}

type Stats = BitswapStats & { heldBytes: number };

async function stats(peer: BlockPeer): Promise<Stats> {
  return (await peer.seen()) as unknown as Stats;
}

async function heldMiB(peer: BlockPeer): Promise<number> {
  return Math.round((await stats(peer)).heldBytes / MIB);
}

/** With what the heap keeps in reserve; it does not give that back. */
function residentMiB(peer: BlockPeer): number {
  const status = readFileSync(`/proc/${peer.pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
}

async function join(us: BlockPeer): Promise<RawPeer[]> {
  const crowd: RawPeer[] = [];
  for (let count = 0; count < CROWD; count++) {
    const peer = await startRawPeer();
    await peer.libp2p.dial(multiaddr(us.addr));
    crowd.push(peer);
  }
  return crowd;
}

async function leave(us: BlockPeer, crowd: RawPeer[]): Promise<void> {
  for (const peer of crowd) await peer.libp2p.hangUp(peerIdFromString(us.peerId));
  // The friend stays.
  await eventually(async () => (await stats(us)).peersServed === 1);
}

let sets = 0;

/** Fails when our node does not serve others now. */
async function serves(us: BlockPeer, friend: BlockPeer): Promise<void> {
  const set = { seed: 1000 + sets++, count: 100, size: 10_000, version: 1 as const, codec: 0x55 };
  await us.make(set);
  expect((await friend.fetch(set)).bytes).toBe(1_000_000);
}

test.runIf(process.platform === 'linux')(
  `a flood of wants from ${CROWD} peers, wave after wave, is bounded and leaves nothing behind`,
  async () => {
    const [us, friend] = await Promise.all([startUs(), startUs()]);
    try {
      await friend.connect(us.addr);
      await serves(us, friend);
      const before = await heldMiB(us);
      const held: number[] = [];
      const after: number[] = [];
      for (let wave = 0; wave < 3; wave++) {
        const crowd = await join(us);
        // Some are cut off while they are still negotiating: we are busy with the others.
        const flooding = await Promise.allSettled(
          crowd.map((peer) =>
            peer.want(peerIdFromString(us.peerId), ...Array.from({ length: 3000 }, () => ({ cid: fakeCid() }))),
          ),
        );
        const flooded = flooding.filter(({ status }) => status === 'fulfilled').length;
        expect(flooded).toBeGreaterThan(CROWD * 0.8);
        await eventually(async () => (await stats(us)).peersServed > flooded);
        await serves(us, friend);
        expect((await stats(us)).peerWants).toBeLessThanOrEqual(128 * 1024);
        held.push(await heldMiB(us));
        await leave(us, crowd);
        await eventually(async () => (await stats(us)).peerWants === 0);
        after.push(await heldMiB(us));
        await stopHosts();
      }
      const peak = residentMiB(us);
      console.log(
        `MiB held: ${before} before, ${held.join(', ')} under attack, ${after.join(', ')} after it; ${peak} resident at most`,
      );
      expect(Math.max(...held)).toBeLessThan(before + 300);
      expect(Math.max(...after)).toBeLessThan(before + 50);
      expect(peak).toBeLessThan(1024);
    } finally {
      await Promise.all([us.stop(), friend.stop()]);
    }
  },
);

test.runIf(process.platform === 'linux')(
  `half-open streams and half-sent messages of ${CROWD} peers are bounded and leave nothing behind`,
  async () => {
    const [us, friend] = await Promise.all([startUs(), startUs()]);
    try {
      await friend.connect(us.addr);
      await serves(us, friend);
      const before = await heldMiB(us);
      const crowd = await join(us);
      const half = frameOf({ blocks: [{ prefix: new Uint8Array(4), data: new Uint8Array(2 * MIB) }] }).subarray(0, MIB);
      let cut = 0;
      for (const peer of crowd) {
        for (let count = 0; count < 4; count++) {
          const stream = await peer.open(peerIdFromString(us.peerId));
          stream.addEventListener('close', () => void cut++);
          // Half of them never say more than that four bytes are to come.
          stream.send(count % 2 === 0 ? half : lengthPrefixed(new Uint8Array(4)).subarray(0, 1));
        }
      }
      // 600 MiB were sent; what does not fit into the budget is refused.
      await eventually(() => cut > 100);
      await serves(us, friend);
      const under = await heldMiB(us);
      const cutUnderAttack = cut;
      for (const peer of crowd) await peer.libp2p.hangUp(peerIdFromString(us.peerId));
      await serves(us, friend);
      // Connections end in their own time.
      let after = under;
      await eventually(async () => (after = await heldMiB(us)) < before + 50);
      const peak = residentMiB(us);
      console.log(
        `MiB held: ${before} before, ${under} under attack, ${after} after it; ${peak} resident at most; ${cutUnderAttack} streams cut`,
      );
      expect(under).toBeLessThan(before + 300);
      expect(peak).toBeLessThan(1024);
    } finally {
      await Promise.all([us.stop(), friend.stop()]);
    }
  },
);

import { fileURLToPath } from 'node:url';
import { BlockPeer } from '../../test/interop/block-peer.ts';
import { startBoxo } from '../../test/interop/boxo.ts';
import type { BlockSet } from '../../test/interop/content.ts';

export type Implementation = 'ours' | 'helia' | 'boxo';

const PEER = fileURLToPath(new URL('./peer.ts', import.meta.url));
const RAW = 0x55;
let lastSeed = 0;

export function startPeer(implementation: Implementation, ...args: string[]): Promise<BlockPeer> {
  if (implementation === 'boxo') return startBoxo();
  return BlockPeer.start(process.execPath, ['--expose-gc', PEER, implementation, ...args]);
}

/** A server and a client, each a process of its own, connected. */
export interface Pair {
  server: BlockPeer;
  client: BlockPeer;
  stop(): Promise<void>;
}

export async function startPair(serving: Implementation, fetching: Implementation): Promise<Pair> {
  const [server, client] = await Promise.all([startPeer(serving), startPeer(fetching)]);
  await client.connect(server.addr);
  return {
    server,
    client,
    async stop() {
      await Promise.all([server.stop(), client.stop()]);
    },
  };
}

export function freshSet(count: number, size: number): BlockSet {
  return { seed: ++lastSeed, count, size, version: 1, codec: RAW };
}

/** Milliseconds to fetch blocks that nobody has fetched before, from the first want to the last byte. */
export async function timeFetch({ server, client }: Pair, count: number, size: number): Promise<number> {
  const set = freshSet(count, size);
  await server.make(set);
  const { ms } = await client.fetch(set);
  await Promise.all([server.drop(set), client.drop(set)]);
  return ms;
}

/** For every round, one time of each pair, in turn: what disturbs the machine disturbs all of them. */
export async function timeInTurn(pairs: Pair[], rounds: number, count: number, size: number): Promise<number[][]> {
  const times: number[][] = pairs.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, pair] of pairs.entries()) {
      const ms = await timeFetch(pair, count, size);
      // The first round warms up.
      if (round >= 0) times[index]!.push(ms);
    }
  }
  return times;
}

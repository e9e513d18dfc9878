import { createInterface } from 'node:readline';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { identify } from '@libp2p/identify';
import type { Libp2p, PeerId } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { CID } from 'multiformats/cid';
import { startHelia } from '../../test/bitswap-helia-host.ts';
import { startOurs } from '../../test/interop/bitswap-scene.ts';
import { type Block, type BlockSet, makeBlocks } from '../../test/interop/content.ts';

/**
 * One Bitswap peer as a process: `node peer.ts ours|helia [DATA_DIRECTORY]`. Takes the commands of test/interop/boxo-peer,
 * as far as the bench uses them, so that every pair of implementations does the same work.
 */
interface Engine {
  libp2p: Libp2p;
  put(block: Block): Promise<void>;
  drop(cid: CID): Promise<void>;
  /** Fetches all, from the peers that it is connected to. */
  fetch(cids: CID[], from: PeerId[]): Promise<Uint8Array[]>;
  stats(): Record<string, number>;
}

async function ours(dataDir: string | undefined): Promise<Engine> {
  const peer = await startOurs(dataDir);
  return {
    libp2p: peer.libp2p,
    put: async ({ cid, bytes }) => void (await peer.blockstore.put(cid, bytes)),
    drop: async (cid) => peer.blockstore.delete(cid),
    fetch(cids, from) {
      const session = peer.bitswap.createSession({ peers: from });
      const signal = AbortSignal.timeout(100_000);
      return Promise.all(cids.map((cid) => session.get(cid, { signal })));
    },
    stats: () => ({ ...peer.bitswap.stats }),
  };
}

async function helia(): Promise<Engine> {
  // The transports as they come, without what provider/node/ changes in them.
  const host = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
    // By itself it refuses the sixth client of a second.
    connectionManager: { inboundConnectionThreshold: 1000 },
  });
  const { libp2p, blockstore, bitswap } = await startHelia({}, host);
  return {
    libp2p,
    put: async ({ cid, bytes }) => void (await blockstore.put(cid, bytes)),
    drop: async (cid) => blockstore.delete(cid),
    fetch: (cids) => Promise.all(cids.map((cid) => bitswap.retrieve(cid))),
    stats: () => ({}),
  };
}

interface Command {
  id: number;
  name: string;
  addr: string;
  set: BlockSet;
}

async function run(engine: Engine, { name, addr, set }: Command): Promise<unknown> {
  switch (name) {
    case 'connect':
      await engine.libp2p.dial(multiaddr(addr));
      return undefined;
    case 'make':
      for (const block of makeBlocks(set)) await engine.put(block);
      globalThis.gc?.();
      return undefined;
    case 'drop':
      for (const { cid } of makeBlocks(set)) await engine.drop(cid);
      return undefined;
    case 'fetch':
      return fetchSet(engine, set);
    case 'seen':
      return { ...engine.stats(), heldBytes: heldBytes() };
    default:
      throw new Error(`No such command: ${name}`);
  }
}

/** What is held in memory, and not what is only not collected yet; that needs --expose-gc. */
function heldBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function fetchSet(engine: Engine, set: BlockSet): Promise<{ bytes: number; ms: number; cpuMs: number }> {
  const blocks = makeBlocks(set);
  const cids = blocks.map(({ cid }) => cid);
  const peers = engine.libp2p.getPeers();
  // What making the blocks left behind is not collected at the cost of fetching them.
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const started = performance.now();
  const fetched = await engine.fetch(cids, peers);
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  let bytes = 0;
  for (const [index, one] of fetched.entries()) {
    if (Buffer.compare(one, (blocks[index] as Block).bytes) !== 0) throw new Error('A block came with other bytes');
    bytes += one.length;
  }
  return { bytes, ms, cpuMs: (user + system) / 1000 };
}

const [kind, dataDir] = process.argv.slice(2);
const engine = kind === 'helia' ? await helia() : await ours(dataDir);
const print = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
const addrs = engine.libp2p.getMultiaddrs().map(String);
print({ peerId: engine.libp2p.peerId.toString(), addrs });
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line) as Command;
    run(engine, command).then(
      (value) => print({ id: command.id, value }),
      (error: unknown) => print({ id: command.id, error: String(error) }),
    );
  })
  .on('close', () => process.exit(0));

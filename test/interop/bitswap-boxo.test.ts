import { multiaddr } from '@multiformats/multiaddr';
import { peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats/cid';
import { identity } from 'multiformats/hashes/identity';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { blocksWith, eventually, fetchFile, type OurPeer, startOurs } from './bitswap-scene.ts';
import type { BlockPeer } from './block-peer.ts';
import { startBoxo } from './boxo.ts';
import { addFile, type Block, type BlockSet, keyStream, makeBlocks, sha256Base64 } from './content.ts';
import { buildGo, goMissing, goVersion } from './go-program.ts';

const RAW = 0x55;
const DAG_PB = 0x70;
const MIB = 1024 * 1024;

if (goVersion === undefined) console.warn(goMissing);

describe.skipIf(goVersion === undefined)('boxo', () => {
  let boxo: BlockPeer;
  let ours: OurPeer;

  beforeAll(async () => {
    await buildGo('boxo-peer', '.');
  });
  beforeEach(async () => {
    boxo = await startBoxo();
    ours = await startOurs();
    await connect();
  });
  afterEach(async () => {
    await ours.stop();
    await boxo.stop();
  });

  const boxoId = () => peerIdFromString(boxo.peerId);
  const connect = async (): Promise<void> => {
    await ours.libp2p.dial(multiaddr(boxo.addr));
  };
  const get = (cid: CID, signal = AbortSignal.timeout(60_000)) => ours.bitswap.get(cid, { peers: [boxoId()], signal });

  /** Both ledgers have these bytes of blocks, and nothing else. */
  async function agree(sent: number, recv: number): Promise<void> {
    await eventually(async () => {
      const [mine, theirs] = [blocksWith(ours, boxo.peerId), await boxo.receipt(ours.id)];
      return mine.sent >= sent && mine.recv >= recv && theirs.recv >= sent && theirs.sent >= recv;
    });
    expect(blocksWith(ours, boxo.peerId)).toEqual({ sent, recv });
    expect(await boxo.receipt(ours.id)).toMatchObject({ sent: recv, recv: sent });
  }

  const sets: BlockSet[] = [
    { seed: 1, count: 400, size: 1000, version: 1, codec: RAW },
    { seed: 2, count: 400, size: 5000, version: 1, codec: DAG_PB },
    { seed: 3, count: 100, size: 60_000, version: 0, codec: DAG_PB },
    { seed: 4, count: 40, size: 256 * 1024, version: 1, codec: RAW },
    { seed: 5, count: 8, size: 2 * MIB, version: 1, codec: RAW },
  ];

  test.for(sets)(
    'it fetches $count blocks of $size bytes (CIDv$version) from us, and the ledgers agree',
    async (set) => {
      for (const { cid, bytes } of makeBlocks(set)) await ours.blockstore.put(cid, bytes);
      expect((await boxo.fetch(set)).bytes).toBe(set.count * set.size);
      await agree(set.count * set.size, 0);
    },
  );

  test.for(sets)('we fetch $count blocks of $size bytes (CIDv$version) from it, and the ledgers agree', async (set) => {
    await boxo.make(set);
    const wanted = makeBlocks(set);
    const session = ours.bitswap.createSession({ peers: [boxoId()] });
    const fetched = await Promise.all(wanted.map(({ cid }) => session.get(cid)));
    for (const [index, bytes] of fetched.entries()) {
      expect(Buffer.compare(bytes, (wanted[index] as Block).bytes)).toBe(0);
    }
    await agree(0, set.count * set.size);
    expect(ours.bitswap.stats.duplicateBytes).toBe(0);
  });

  const large = { seed: 6, size: 200_000_000, chunk: 256 * 1024 };
  const tree = { seed: 7, size: 10_000 * 1024, chunk: 1024 };

  test.for([
    { ...large, what: '200 MB', version: 0 as const },
    { ...tree, what: '10,000 small blocks', version: 1 as const },
  ])('it fetches a file of $what from us', async (shape) => {
    const { root, sha256 } = await addFile(ours.blockstore, shape);
    const fetched = await boxo.fetchFile(root);
    expect(fetched).toMatchObject({ bytes: shape.size, sha256 });
    await agree((await boxo.receipt(ours.id)).recv, 0);
  });

  test.for([
    { ...large, what: '200 MB', version: 1 as const },
    { ...tree, what: '10,000 small blocks', version: 0 as const },
  ])('we fetch a file of $what from it', async (shape) => {
    const root = await boxo.addFile(shape);
    expect(await fetchFile(ours, root, boxoId())).toBe(sha256Base64(keyStream(shape.seed, 0, shape.size)));
    await agree(0, (await boxo.receipt(ours.id)).sent);
  });

  test('both fetch from each other at the same time', async () => {
    const [there, here] = [{ ...sets[3], seed: 8 } as BlockSet, { ...sets[3], seed: 9 } as BlockSet];
    await boxo.make(there);
    for (const { cid, bytes } of makeBlocks(here)) await ours.blockstore.put(cid, bytes);
    await Promise.all([boxo.fetch(here), ...makeBlocks(there).map(({ cid }) => get(cid))]);
    await agree(here.count * here.size, there.count * there.size);
  });

  test('it asks with want-have first, we say HAVE, and it gets the block', async () => {
    const [block] = makeBlocks({ ...sets[1]!, count: 1 });
    await ours.blockstore.put(block!.cid, block!.bytes);
    expect(await boxo.get(block!.cid)).toHaveLength(5000);
    // HAVE is the answer to want-have only.
    expect((await boxo.seen()).received).toMatchObject({ haves: 1, blocks: 1 });
  });

  test('a want-have for a small block is answered with the block', async () => {
    const [block] = makeBlocks({ ...sets[0]!, count: 1 });
    await ours.blockstore.put(block!.cid, block!.bytes);
    expect(await boxo.get(block!.cid)).toHaveLength(1000);
    expect((await boxo.seen()).received).toMatchObject({ haves: 0, blocks: 1 });
    await agree(1000, 0);
  });

  test('of two of them we ask one for the block, the other whether it has it, and neither sends it twice', async () => {
    const other = await startBoxo();
    try {
      await ours.libp2p.dial(multiaddr(other.addr));
      const set: BlockSet = { ...sets[1]!, count: 1 };
      await eventually(() => ours.libp2p.getPeers().length === 2);
      await boxo.make(set);
      await other.make(set);
      const [block] = makeBlocks(set);
      expect(await ours.bitswap.get(block!.cid)).toHaveLength(5000);
      await eventually(async () => {
        const [a, b] = [await boxo.seen(), await other.seen()];
        return a.received.wantBlocks + b.received.wantBlocks === 1 && a.received.cancels + b.received.cancels === 1;
      });
      const [a, b] = [await boxo.seen(), await other.seen()];
      expect(a.received.wantHaves + b.received.wantHaves).toBe(1);
      expect(a.sent.blocks + b.sent.blocks).toBe(1);
    } finally {
      await other.stop();
    }
  });

  test('it asks for a block that we do not have: DONT_HAVE, and the block as soon as we have it', async () => {
    // boxo asks for DONT_HAVE only from a peer that has had another block of the same session.
    const set: BlockSet = { ...sets[1]!, count: 2 };
    const [present, missing] = makeBlocks(set);
    await ours.blockstore.put(present!.cid, present!.bytes);
    const coming = boxo.fetch(set);
    await eventually(async () => (await boxo.seen()).received.dontHaves > 0);
    await ours.blocks.put(missing!.cid, missing!.bytes);
    expect((await coming).bytes).toBe(10_000);
    await agree(10_000, 0);
  });

  test('we ask for a block that it does not have: DONT_HAVE, and the block as soon as it has it', async () => {
    const [block] = makeBlocks({ ...sets[1]!, count: 1 });
    const coming = get(block!.cid);
    await eventually(async () => (await boxo.seen()).sent.dontHaves === 1);
    await boxo.put(block!.cid, block!.bytes);
    expect(await coming).toHaveLength(5000);
    await agree(0, 5000);
  });

  test('a want that it takes back is off our list, and one that we take back is off its list', async () => {
    const [here, there] = makeBlocks({ ...sets[1]!, count: 2 });
    const [mine, theirs] = [new AbortController(), new AbortController()];
    const failing = [
      expect(get(here!.cid, mine.signal)).rejects.toThrow('aborted'),
      expect(boxo.get(there!.cid, theirs.signal)).rejects.toThrow('context canceled'),
    ];
    await eventually(async () => (await boxo.wantlist(ours.id)).length === 1);
    await eventually(() => ours.bitswap.wantlistOf(boxoId()).length === 1);
    mine.abort();
    theirs.abort();
    await Promise.all(failing);
    await eventually(async () => (await boxo.wantlist(ours.id)).length === 0);
    await eventually(() => ours.bitswap.wantlistOf(boxoId()).length === 0);
  });

  test('wants of both sides outlive a reconnect', async () => {
    const [here, there] = makeBlocks({ ...sets[1]!, count: 2 });
    const mine = get(here!.cid);
    const theirs = boxo.get(there!.cid);
    await eventually(async () => (await boxo.wantlist(ours.id)).length === 1);
    await eventually(() => ours.bitswap.wantlistOf(boxoId()).length === 1);
    await boxo.disconnect(ours.id);
    await eventually(() => ours.libp2p.getConnections().length === 0);
    expect(ours.bitswap.wantlistOf(boxoId())).toEqual([]);
    await boxo.put(here!.cid, here!.bytes);
    await ours.blocks.put(there!.cid, there!.bytes);
    await connect();
    expect(await mine).toHaveLength(5000);
    expect(await theirs).toHaveLength(5000);
    await agree(5000, 5000);
  });

  test('an identity CID is answered from itself, and on a wantlist it harms nobody', async () => {
    const cid = CID.createV1(RAW, identity.digest(new TextEncoder().encode('carried in its own name')));
    expect(new TextDecoder().decode(await get(cid))).toBe('carried in its own name');
    const [block] = makeBlocks({ ...sets[1]!, count: 1 });
    await ours.blockstore.put(block!.cid, block!.bytes);
    const abort = new AbortController();
    const never = expect(boxo.get(cid, abort.signal)).rejects.toThrow('context canceled');
    expect(await boxo.get(block!.cid)).toHaveLength(5000);
    abort.abort();
    await never;
  });
});

import { multiaddr } from '@multiformats/multiaddr';
import { peerIdFromString } from '@libp2p/peer-id';
import type { CID } from 'multiformats/cid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BITSWAP_100, BITSWAP_110, BITSWAP_120 } from '../../provider/bitswap/constants.ts';
import { blocksWith, eventually, fetchFile, type OurPeer, startOurs } from './bitswap-scene.ts';
import type { BlockPeer, FileShape } from './block-peer.ts';
import { addFile, type Block, type BlockSet, keyStream, makeBlocks, sha256Base64 } from './content.ts';
import { installIpfsBitswap, startIpfsBitswap } from './ipfs-bitswap.ts';

const RAW = 0x55;
const DAG_PB = 0x70;
const MIB = 1024 * 1024;

/** One of them serves many tests, so no two tests may have a block in common. */
let lastSeed = 200;

const missing = await installIpfsBitswap();
if (missing !== undefined) console.warn(missing);

type Shape = Omit<BlockSet, 'seed'>;

const v0: Shape[] = [
  { count: 200, size: 1000, version: 0, codec: DAG_PB },
  { count: 20, size: 256 * 1024, version: 0, codec: DAG_PB },
  { count: 4, size: 2 * MIB, version: 0, codec: DAG_PB },
];
const v1: Shape[] = [
  { count: 200, size: 1000, version: 1, codec: RAW },
  { count: 20, size: 256 * 1024, version: 1, codec: DAG_PB },
  { count: 4, size: 2 * MIB, version: 1, codec: RAW },
];

describe.skipIf(missing !== undefined).for([
  { protocol: BITSWAP_120, only: [], itFetches: [...v0, ...v1] },
  { protocol: BITSWAP_110, only: [BITSWAP_110], itFetches: [...v0, ...v1] },
  // Blocks without a prefix can be sent under CIDv0 only.
  { protocol: BITSWAP_100, only: [BITSWAP_100], itFetches: v0 },
])('ipfs-bitswap speaking $protocol', ({ protocol, only, itFetches }) => {
  let theirs: BlockPeer;
  let ours: OurPeer;

  beforeAll(async () => {
    theirs = await startIpfsBitswap(...only);
  });
  afterAll(async () => {
    const { protocols } = await theirs.seen();
    await theirs.stop();
    expect(protocols).toEqual([protocol]);
  });
  beforeEach(async () => {
    ours = await startOurs();
    await connect();
  });
  afterEach(() => ours.stop());

  const theirId = () => peerIdFromString(theirs.peerId);
  const connect = async (): Promise<void> => {
    await ours.libp2p.dial(multiaddr(theirs.addr));
  };
  const get = (cid: CID, signal = AbortSignal.timeout(60_000)) => ours.bitswap.get(cid, { peers: [theirId()], signal });
  const fresh = (shape: Shape): BlockSet => ({ ...shape, seed: ++lastSeed });
  const small = (count: number): Block[] => makeBlocks(fresh({ ...v0[0]!, size: 5000, count }));

  /** Both ledgers have these bytes of blocks, and nothing else. */
  async function agree(sent: number, recv: number): Promise<void> {
    await eventually(async () => {
      const [mine, other] = [blocksWith(ours, theirs.peerId), await theirs.receipt(ours.id)];
      return mine.sent >= sent && mine.recv >= recv && other.recv >= sent && other.sent >= recv;
    });
    expect(blocksWith(ours, theirs.peerId)).toEqual({ sent, recv });
    expect(await theirs.receipt(ours.id)).toMatchObject({ sent: recv, recv: sent });
  }

  test.for(itFetches)(
    'it fetches $count blocks of $size bytes (CIDv$version) from us, and the ledgers agree',
    async (shape) => {
      const set = fresh(shape);
      for (const { cid, bytes } of makeBlocks(set)) await ours.blockstore.put(cid, bytes);
      expect((await theirs.fetch(set)).bytes).toBe(set.count * set.size);
      await agree(set.count * set.size, 0);
    },
  );

  test.for([...v0, ...v1])(
    'we fetch $count blocks of $size bytes (CIDv$version) from it, and the ledgers agree',
    async (shape) => {
      const set = fresh(shape);
      await theirs.make(set);
      const wanted = makeBlocks(set);
      const session = ours.bitswap.createSession({ peers: [theirId()] });
      const fetched = await Promise.all(wanted.map(({ cid }) => session.get(cid)));
      for (const [index, bytes] of fetched.entries()) {
        expect(Buffer.compare(bytes, (wanted[index] as Block).bytes)).toBe(0);
      }
      await agree(0, set.count * set.size);
      expect(ours.bitswap.stats.duplicateBytes).toBe(0);
    },
  );

  // Files only in the version that everybody speaks: what the old ones do differently is in the blocks above.
  const large = { size: 200_000_000, chunk: 256 * 1024 };
  const tree = { size: 10_000 * 1024, chunk: 1024 };

  test.runIf(protocol === BITSWAP_120).for<Omit<FileShape, 'seed'> & { what: string }>([
    { ...large, what: '200 MB', version: 0 },
    { ...tree, what: '10,000 small blocks', version: 1 },
  ])('it fetches a file of $what from us', async (file) => {
    const { root, sha256 } = await addFile(ours.blockstore, { ...file, seed: ++lastSeed });
    const fetched = await theirs.fetchFile(root);
    expect(fetched).toMatchObject({ bytes: file.size, sha256 });
    await agree((await theirs.receipt(ours.id)).recv, 0);
  });

  test.runIf(protocol === BITSWAP_120).for<Omit<FileShape, 'seed'> & { what: string }>([
    { ...large, what: '200 MB', version: 1 },
    { ...tree, what: '10,000 small blocks', version: 0 },
  ])('we fetch a file of $what from it', async (file) => {
    const shape = { ...file, seed: ++lastSeed };
    const root = await theirs.addFile(shape);
    expect(await fetchFile(ours, root, theirId())).toBe(sha256Base64(keyStream(shape.seed, 0, shape.size)));
    await agree(0, (await theirs.receipt(ours.id)).sent);
    expect(ours.bitswap.stats.duplicateBytes).toBe(0);
  });

  test('both fetch from each other at the same time', async () => {
    const [there, here] = [fresh(v0[1]!), fresh(v0[1]!)];
    await theirs.make(there);
    for (const { cid, bytes } of makeBlocks(here)) await ours.blockstore.put(cid, bytes);
    await Promise.all([theirs.fetch(here), ...makeBlocks(there).map(({ cid }) => get(cid))]);
    await agree(here.count * here.size, there.count * there.size);
  });

  test('a block that comes after the want is sent, both ways', async () => {
    const [here, there] = small(2);
    const mine = get(here!.cid);
    const other = theirs.get(there!.cid);
    await eventually(async () => (await theirs.wantlist(ours.id)).length === 1);
    await eventually(() => ours.bitswap.wantlistOf(theirId()).length === 1);
    await theirs.put(here!.cid, here!.bytes);
    await ours.blocks.put(there!.cid, there!.bytes);
    expect(await mine).toHaveLength(5000);
    expect(await other).toHaveLength(5000);
    await agree(5000, 5000);
  });

  test('a want that it takes back is off our list, and one that we take back is off its list', async () => {
    const [here, there] = small(2);
    const [mine, other] = [new AbortController(), new AbortController()];
    const failing = [
      expect(get(here!.cid, mine.signal)).rejects.toThrow('aborted'),
      expect(theirs.get(there!.cid, other.signal)).rejects.toThrow('aborted'),
    ];
    await eventually(async () => (await theirs.wantlist(ours.id)).length === 1);
    await eventually(() => ours.bitswap.wantlistOf(theirId()).length === 1);
    mine.abort();
    other.abort();
    await Promise.all(failing);
    await eventually(async () => (await theirs.wantlist(ours.id)).length === 0);
    await eventually(() => ours.bitswap.wantlistOf(theirId()).length === 0);
  });

  test('wants of both sides outlive a reconnect', async () => {
    const [here, there] = small(2);
    const mine = get(here!.cid);
    const other = theirs.get(there!.cid);
    await eventually(async () => (await theirs.wantlist(ours.id)).length === 1);
    await eventually(() => ours.bitswap.wantlistOf(theirId()).length === 1);
    await theirs.disconnect(ours.id);
    await eventually(() => ours.libp2p.getConnections().length === 0);
    expect(ours.bitswap.wantlistOf(theirId())).toEqual([]);
    await theirs.put(here!.cid, here!.bytes);
    await ours.blocks.put(there!.cid, there!.bytes);
    await connect();
    expect(await mine).toHaveLength(5000);
    expect(await other).toHaveLength(5000);
    await agree(5000, 5000);
  });

  test('we ask for DONT_HAVE only where the protocol has it', async () => {
    const before = await theirs.seen();
    const [present, absent] = small(2);
    const abort = new AbortController();
    const failing = expect(get(absent!.cid, abort.signal)).rejects.toThrow('aborted');
    await eventually(async () => (await theirs.wantlist(ours.id)).length === 1);
    await theirs.put(present!.cid, present!.bytes);
    // It answers in order, so that a DONT_HAVE has been sent when the block is here.
    expect(await get(present!.cid)).toHaveLength(5000);
    const after = await theirs.seen();
    expect(after.sent.dontHaves - before.sent.dontHaves).toBe(protocol === BITSWAP_120 ? 1 : 0);
    abort.abort();
    await failing;
  });

  test.runIf(protocol === BITSWAP_100)('a CIDv1 that it asks for is not sent, since it could not name it', async () => {
    const set = fresh({ ...v1[0]!, count: 1 });
    const [unnameable] = makeBlocks(set);
    const [block] = small(1);
    for (const { cid, bytes } of [unnameable!, block!]) await ours.blockstore.put(cid, bytes);
    const abort = new AbortController();
    const failing = expect(theirs.get(unnameable!.cid, abort.signal)).rejects.toThrow('aborted');
    expect(await theirs.get(block!.cid)).toHaveLength(5000);
    await agree(5000, 0);
    abort.abort();
    await failing;
  });
});

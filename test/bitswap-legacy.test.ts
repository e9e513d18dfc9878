import { CID } from 'multiformats/cid';
import { afterEach, expect, test } from 'vitest';
import { connect, makeBlock, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';
import { startRawPeer } from './bitswap-raw-peer.ts';

afterEach(stopHosts);

const v0 = (cid: CID): CID => CID.createV0(cid.multihash as Parameters<typeof CID.createV0>[0]);

test('with a peer that speaks 1.1, blocks go both ways and nobody sends a presence', async () => {
  const [ours, old] = await Promise.all([startHost(), startHost({ protocols: ['/ipfs/bitswap/1.1.0'] })]);
  await connect(ours.libp2p, old.libp2p);
  const [here, there] = await Promise.all([randomBlocks(20, 3000), randomBlocks(20, 3000)]);
  await putAll(ours.blockstore, here);
  await putAll(old.blockstore, there);
  const get = (host: typeof ours, { cid }: { cid: CID }): Promise<Uint8Array> => host.bitswap.get(cid);
  const fetched = await Promise.all([
    ...there.map((block) => get(ours, block)),
    ...here.map((block) => get(old, block)),
  ]);
  expect(fetched).toHaveLength(40);
  await until(() => ours.ledger.open.size === 0 && old.ledger.open.size === 0);
  expect(ours.ledger.account(old.peerId)).toMatchObject({ sent: 60_000, recv: 60_000 });
  expect(old.ledger.account(ours.peerId)).toMatchObject({ sent: 60_000, recv: 60_000 });
});

test.each(['/ipfs/bitswap/1.0.0', '/ipfs/bitswap'])(
  'with a peer that speaks %s, CIDv0 blocks go both ways',
  async (id) => {
    const [ours, old] = await Promise.all([startHost(), startHost({ protocols: [id] })]);
    await connect(ours.libp2p, old.libp2p);
    const [here, there] = await Promise.all([makeBlock(new Uint8Array(3000)), makeBlock(new Uint8Array(4000))]);
    await ours.blockstore.put(v0(here.cid), here.bytes);
    await old.blockstore.put(v0(there.cid), there.bytes);
    expect(await ours.bitswap.get(v0(there.cid))).toHaveLength(4000);
    expect(await old.bitswap.get(v0(here.cid))).toHaveLength(3000);
  },
);

test('a 1.1 peer is never sent a presence or asked whether it has a block', async () => {
  const [ours, old, other] = await Promise.all([
    startHost({ limits: { stallTimeoutMs: 200 } }),
    startRawPeer(['/ipfs/bitswap/1.1.0']),
    startHost(),
  ]);
  await connect(ours.libp2p, old.libp2p);
  await connect(ours.libp2p, other.libp2p);
  const [mine, missing, wanted] = await randomBlocks(3, 3000);
  await ours.blockstore.put(mine!.cid, mine!.bytes);
  await other.blockstore.put(wanted!.cid, wanted!.bytes);
  await ours.bitswap.get(wanted!.cid);
  await old.want(ours.peerId, { cid: missing!.cid }, { cid: mine!.cid, have: true });
  await old.until(({ blocks }) => blocks.length === 1);
  expect(old.presences).toEqual([]);
  expect(old.wants.filter(({ have }) => have)).toEqual([]);
});

test('a 1.0 peer gets raw blocks and no CIDv1', async () => {
  const [ours, old] = await Promise.all([startHost(), startRawPeer(['/ipfs/bitswap/1.0.0'])]);
  await connect(ours.libp2p, old.libp2p);
  const block = await makeBlock(new Uint8Array(3000));
  await ours.blockstore.put(block.cid, block.bytes);
  await old.want(ours.peerId, { cid: block.cid }, { cid: v0(block.cid) });
  await old.until(({ blocks }) => blocks.length === 1);
  expect(old.messages.flatMap(({ blocks }) => blocks)).toEqual([]);
  expect(old.messages.flatMap(({ rawBlocks }) => rawBlocks)).toHaveLength(1);
});

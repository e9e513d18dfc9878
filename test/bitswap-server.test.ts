import { afterEach, expect, test } from 'vitest';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { connect, type Host, makeBlock, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';
import { RawPeer, startRawPeer, wantlistOf } from './bitswap-raw-peer.ts';

afterEach(stopHosts);

async function startPair(init: Parameters<typeof startHost>[0] = {}): Promise<{ ours: Host; peer: RawPeer }> {
  const [ours, peer] = await Promise.all([startHost(init), startRawPeer()]);
  await connect(peer.libp2p, ours.libp2p);
  return { ours, peer };
}

const same = (bytes: Uint8Array | undefined, expected: Uint8Array): boolean =>
  bytes !== undefined && Buffer.compare(bytes, expected) === 0;

test('want-have gets HAVE for a large block and the block itself for a small one', async () => {
  const { ours, peer } = await startPair();
  const [small, large] = [...(await randomBlocks(1, 1024)), ...(await randomBlocks(1, 1025))];
  await putAll(ours.blockstore, [small!, large!]);
  await peer.want(ours.peerId, { cid: small!.cid, have: true }, { cid: large!.cid, have: true });
  await peer.until(({ blocks, presences }) => blocks.length === 1 && presences.length === 1);
  expect(same(peer.blocks[0], small!.bytes)).toBe(true);
  expect(peer.presences).toEqual([{ cid: large!.cid.bytes, have: true }]);
  expect(ours.bitswap.wantlistOf(peer.peerId)).toEqual([]);
});

test('DONT_HAVE comes when asked for, and only then', async () => {
  const { ours, peer } = await startPair();
  const [silent, loud] = await randomBlocks(2, 10);
  await peer.want(ours.peerId, { cid: silent!.cid, sendDontHave: false }, { cid: loud!.cid });
  await peer.until(({ presences }) => presences.length > 0);
  expect(peer.presences).toEqual([{ cid: loud!.cid.bytes, have: false }]);
  expect(ours.bitswap.wantlistOf(peer.peerId)).toHaveLength(2);
});

test('a block that arrives later is sent to whoever waits for it', async () => {
  const { ours, peer } = await startPair();
  const [block, big] = [...(await randomBlocks(1, 3000)), ...(await randomBlocks(1, 5000))];
  await peer.want(ours.peerId, { cid: block!.cid }, { cid: big!.cid, have: true });
  await peer.until(({ presences }) => presences.length === 2);
  for (const { cid, bytes } of [block!, big!]) {
    await ours.blockstore.put(cid, bytes);
    ours.bitswap.notify(cid, bytes);
  }
  await peer.until(({ blocks, presences }) => blocks.length === 1 && presences.length === 3);
  expect(same(peer.blocks[0], block!.bytes)).toBe(true);
  expect(peer.presences[2]).toEqual({ cid: big!.cid.bytes, have: true });
});

test('a block that we fetch for ourselves is passed on to whoever waits for it', async () => {
  const { ours, peer } = await startPair();
  const other = await startHost();
  await connect(ours.libp2p, other.libp2p);
  const [block] = await randomBlocks(1, 3000);
  await peer.want(ours.peerId, { cid: block!.cid });
  await peer.until(({ presences }) => presences.length === 1);
  await other.blockstore.put(block!.cid, block!.bytes);
  await ours.bitswap.get(block!.cid, { peers: [other.peerId] });
  await peer.until(({ blocks }) => blocks.length === 1);
});

test('a cancelled want is not served any more, a full wantlist replaces the earlier one', async () => {
  const { ours, peer } = await startPair();
  const blocks = await randomBlocks(3, 2000);
  const [cancelled, replaced, kept] = blocks;
  await peer.want(ours.peerId, { cid: cancelled!.cid }, { cid: replaced!.cid });
  await peer.until(({ presences }) => presences.length === 2);
  await peer.want(ours.peerId, { cid: cancelled!.cid, cancel: true });
  await peer.send(ours.peerId, { wantlist: wantlistOf([{ cid: kept!.cid }], true) });
  await peer.until(({ presences }) => presences.length === 3);
  expect(ours.bitswap.wantlistOf(peer.peerId).map(({ cid }) => cid.toString())).toEqual([kept!.cid.toString()]);
  for (const { cid, bytes } of blocks) {
    await ours.blockstore.put(cid, bytes);
    ours.bitswap.notify(cid, bytes);
  }
  await peer.until((raw) => raw.blocks.length === 1);
  expect(same(peer.blocks[0], kept!.bytes)).toBe(true);
});

test('the block comes under the very CID that was asked for: version, codec and hash', async () => {
  const { ours, peer } = await startPair();
  const block = await makeBlock(new Uint8Array(5000).fill(7));
  await ours.blockstore.put(block.cid, block.bytes);
  const v0 = CID.createV0(block.cid.multihash as Parameters<typeof CID.createV0>[0]);
  const dagCbor = CID.createV1(0x71, block.cid.multihash);
  await peer.want(ours.peerId, { cid: v0 }, { cid: dagCbor }, { cid: block.cid });
  await peer.until(({ blocks }) => blocks.length === 3);
  const prefixes = peer.messages.flatMap(({ blocks }) => blocks.map(({ prefix }) => prefix.join(' ')));
  expect(new Set(prefixes)).toEqual(new Set(['0 112 18 32', '1 85 18 32', '1 113 18 32']));
});

test('higher priority is served first', async () => {
  const { ours, peer } = await startPair({ limits: { outstandingPerPeerBytes: 1, messageTargetBytes: 1 } });
  const blocks = await randomBlocks(20, 5000);
  await putAll(ours.blockstore, blocks);
  await peer.want(ours.peerId, ...blocks.map(({ cid }, index) => ({ cid, priority: index + 1 })));
  await peer.until((raw) => raw.blocks.length === 20);
  const order = peer.blocks.map((bytes) => blocks.findIndex((block) => same(bytes, block.bytes)));
  expect(order).toEqual(blocks.map((_, index) => 19 - index));
});

test('taskComparator decides who is served first', async () => {
  const { ours, peer } = await startPair({
    limits: { outstandingPerPeerBytes: 1, messageTargetBytes: 1 },
    taskComparator: (a, b) => (a.size ?? 0) < (b.size ?? 0),
  });
  const blocks = (await Promise.all([9000, 3000, 6000].map((size) => randomBlocks(1, size)))).flat();
  await putAll(ours.blockstore, blocks);
  await peer.want(ours.peerId, ...blocks.map(({ cid }) => ({ cid })));
  await peer.until((raw) => raw.blocks.length === 3);
  expect(peer.blocks.map(({ length }) => length)).toEqual([3000, 6000, 9000]);
});

test('peerBlockRequestFilter hides a block as if it were missing', async () => {
  const [secret, open] = await randomBlocks(2, 3000);
  const { ours, peer } = await startPair({ peerBlockRequestFilter: (_peer, cid) => !cid.equals(secret!.cid) });
  await putAll(ours.blockstore, [secret!, open!]);
  await peer.want(ours.peerId, { cid: secret!.cid }, { cid: secret!.cid, have: true }, { cid: open!.cid });
  await peer.until(({ blocks, presences }) => blocks.length === 1 && presences.length >= 1);
  expect(same(peer.blocks[0], open!.bytes)).toBe(true);
  expect(peer.presences.every(({ have }) => !have)).toBe(true);
});

test('identity and overlong CIDs in a wantlist are passed over, the rest is served', async () => {
  const { ours, peer } = await startPair();
  const [block] = await randomBlocks(1, 3000);
  await ours.blockstore.put(block!.cid, block!.bytes);
  const identity = CID.createV1(0x55, Digest.create(0, new Uint8Array(30)));
  const overlong = CID.createV1(0x55, Digest.create(0x13, new Uint8Array(200)));
  await peer.want(ours.peerId, { cid: identity }, { cid: overlong }, { cid: new Uint8Array(3) }, { cid: block!.cid });
  await peer.until(({ blocks }) => blocks.length === 1);
  expect(ours.bitswap.wantlistOf(peer.peerId)).toEqual([]);
});

test('asked again, a block is sent again and counted again', async () => {
  const { ours, peer } = await startPair();
  const [block] = await randomBlocks(1, 3000);
  await ours.blockstore.put(block!.cid, block!.bytes);
  for (let round = 1; round <= 3; round++) {
    await peer.want(ours.peerId, { cid: block!.cid });
    await peer.until(({ blocks }) => blocks.length === round);
  }
  await until(() => ours.ledger.open.size === 0);
  expect(ours.ledger.account(peer.peerId).sent).toBe(9000);
});

test('what a peer wanted is forgotten when it goes, what it owes is not', async () => {
  const { ours, peer } = await startPair();
  const [missing, block] = await randomBlocks(2, 3000);
  await ours.blockstore.put(block!.cid, block!.bytes);
  await peer.want(ours.peerId, { cid: missing!.cid }, { cid: block!.cid });
  await peer.until(({ blocks }) => blocks.length === 1);
  await peer.libp2p.hangUp(ours.peerId);
  await until(() => ours.bitswap.stats.peerWants === 0 && ours.bitswap.stats.peersServed === 0);
  expect(ours.ledger.account(peer.peerId).sent).toBe(3000);
});

import { afterEach, expect, test } from 'vitest';
import { startHelia } from './bitswap-helia-host.ts';
import { connect, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';

afterEach(stopHosts);

test.for([
  { count: 300, size: 500 },
  { count: 300, size: 5_000 },
  { count: 40, size: 262_144 },
  { count: 4, size: 2 * 1024 * 1024 },
])('Helia fetches $count blocks of $size bytes from us', async ({ count, size }) => {
  const [ours, helia] = await Promise.all([startHost(), startHelia()]);
  const blocks = await randomBlocks(count, size);
  await putAll(ours.blockstore, blocks);
  await connect(helia.libp2p, ours.libp2p);

  const fetched = await Promise.all(blocks.map(({ cid }) => helia.bitswap.retrieve(cid)));

  for (const [index, bytes] of fetched.entries()) {
    expect(Buffer.compare(bytes, blocks[index]!.bytes)).toBe(0);
  }
  await until(() => ours.ledger.open.size === 0);
  const sent = ours.ledger.account(helia.peerId).sent;
  expect(sent).toBe(count * size);
  expect(helia.bitswap.bitswap.peerWantLists.ledgerForPeer(ours.peerId)?.received).toBe(sent);
});

test.for([
  { count: 300, size: 500 },
  { count: 300, size: 5_000 },
  { count: 40, size: 262_144 },
  { count: 4, size: 2 * 1024 * 1024 },
])('we fetch $count blocks of $size bytes from Helia', async ({ count, size }) => {
  const [ours, helia] = await Promise.all([startHost(), startHelia()]);
  const blocks = await randomBlocks(count, size);
  await putAll(helia.blockstore, blocks);
  await connect(ours.libp2p, helia.libp2p);

  const fetched = await Promise.all(blocks.map(({ cid }) => ours.bitswap.get(cid, { peers: [helia.peerId] })));

  for (const [index, bytes] of fetched.entries()) {
    expect(Buffer.compare(bytes, blocks[index]!.bytes)).toBe(0);
  }
  const received = ours.ledger.account(helia.peerId).recv;
  expect(received).toBe(count * size);
  await until(() => helia.bitswap.bitswap.peerWantLists.ledgerForPeer(ours.peerId)?.sent === received);
});

test('a stream that Helia resets for idleness is opened again without anybody noticing', async () => {
  const [ours, helia] = await Promise.all([startHost(), startHelia({ messageReceiveTimeout: 50 } as never)]);
  const [first, second, third, fourth] = await randomBlocks(4, 5_000);
  await putAll(helia.blockstore, [first!, second!]);
  await putAll(ours.blockstore, [third!, fourth!]);
  await connect(ours.libp2p, helia.libp2p);
  const outbound = (): number =>
    ours.libp2p
      .getConnections(helia.peerId)
      .flatMap(({ streams }) => streams)
      .filter(({ direction, protocol }) => direction === 'outbound' && protocol.startsWith('/ipfs/bitswap')).length;
  await ours.bitswap.get(first!.cid, { peers: [helia.peerId] });
  await helia.bitswap.retrieve(third!.cid);
  await until(() => outbound() === 0);
  expect(await ours.bitswap.get(second!.cid, { peers: [helia.peerId] })).toHaveLength(5_000);
  expect(await helia.bitswap.retrieve(fourth!.cid)).toHaveLength(5_000);
});

test('a block that Helia gets after we asked for it comes as soon as it is announced there', async () => {
  const [ours, helia] = await Promise.all([startHost(), startHelia()]);
  const [block] = await randomBlocks(1, 5_000);
  await connect(ours.libp2p, helia.libp2p);
  const bytes = ours.bitswap.get(block!.cid, { peers: [helia.peerId] });
  await until(() => helia.bitswap.bitswap.peerWantLists.ledgerForPeer(ours.peerId) !== undefined);
  await helia.blockstore.put(block!.cid, block!.bytes);
  await helia.bitswap.announce(block!.cid);
  expect(await bytes).toHaveLength(5_000);
});

test('a block that we get after Helia asked for it is pushed, to plain wants and to sessions', async () => {
  const [ours, helia] = await Promise.all([startHost(), startHelia()]);
  const [block, other] = await randomBlocks(2, 5_000);
  await connect(helia.libp2p, ours.libp2p);
  await putAll(ours.blockstore, [other!]);
  const bytes = helia.bitswap.retrieve(block!.cid);
  await until(() => ours.bitswap.wantlistOf(helia.peerId).length === 1);
  await ours.blockstore.put(block!.cid, block!.bytes);
  ours.bitswap.notify(block!.cid, block!.bytes);
  expect(await bytes).toHaveLength(5_000);
  const session = helia.bitswap.createSession({ providers: [ours.peerId.toCID()] });
  expect(await session.retrieve(other!.cid)).toHaveLength(5_000);
});

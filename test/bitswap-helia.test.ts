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

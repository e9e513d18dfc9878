import { afterEach, expect, test } from 'vitest';
import { connect, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';

afterEach(stopHosts);

test('a block comes from the connected peer that has it, and both ledgers show it', async () => {
  const [alice, bob] = await Promise.all([startHost(), startHost()]);
  const [block] = await randomBlocks(1, 100_000);
  await alice.blockstore.put(block!.cid, block!.bytes);
  await connect(bob.libp2p, alice.libp2p);

  const bytes = await bob.bitswap.get(block!.cid, { peers: [alice.peerId] });

  expect(Buffer.compare(bytes, block!.bytes)).toBe(0);
  expect(await bob.blockstore.has(block!.cid)).toBe(true);
  await until(() => alice.ledger.open.size === 0);
  expect(alice.ledger.account(bob.peerId)).toMatchObject({ sent: 100_000, recv: 0, reserved: 0 });
  expect(bob.ledger.account(alice.peerId)).toMatchObject({ sent: 0, recv: 100_000 });
});

test('without naming anybody, connected peers are found', async () => {
  const [alice, bob, carol] = await Promise.all([startHost(), startHost(), startHost()]);
  const blocks = await randomBlocks(200, 3_000);
  await putAll(alice.blockstore, blocks);
  await connect(bob.libp2p, alice.libp2p);
  await connect(bob.libp2p, carol.libp2p);

  const fetched = await Promise.all(blocks.map(({ cid }) => bob.bitswap.get(cid)));

  expect(fetched.map((bytes) => bytes.length)).toEqual(blocks.map(() => 3_000));
  await until(() => alice.ledger.open.size === 0);
  expect(alice.ledger.account(bob.peerId).sent).toBe(600_000);
  expect(bob.ledger.account(alice.peerId).recv).toBe(600_000);
});

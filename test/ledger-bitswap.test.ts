import type { CID } from 'multiformats/cid';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import type { BitswapInit } from '../provider/bitswap/index.ts';
import { createScoreLedger, type CreditPolicy, type PersistentScoreLedger } from '../provider/ledger/index.ts';
import { openBlockstore, openDatabase } from '../provider/store/index.ts';
import { JobError } from '../sdk/client/index.ts';
import { rawCid } from '../sdk/protocol/index.ts';
import { connect, type Host, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';
import { startRawPeer } from './bitswap-raw-peer.ts';
import { consumer, handler, hostile, LISTEN, offer, provider } from './fixtures.ts';

/**
 * Goal: what the ledger knows decides who is served, when, and whose connection is worth keeping. Method: the ledger
 * itself, not a stand-in, under real nodes on loopback.
 */

afterEach(stopHosts);

const MIB = 1024 * 1024;
const LINE = 1_000_000;

function openLedger(policy: Partial<CreditPolicy> = {}): PersistentScoreLedger {
  const database = openDatabase(':memory:');
  const ledger = createScoreLedger({
    database,
    policy: { newcomerLineBytes: LINE, refreshBytesPerSecond: 0, growthPercent: 0, ...policy },
  });
  onTestFinished(() => {
    ledger.stop();
    database.close();
  });
  return ledger;
}

async function startOurs(
  ledger: PersistentScoreLedger,
  init: BitswapInit & { blockstore?: Host['blockstore'] } = {},
): Promise<Host> {
  return startHost({ ...init, ledger: ledger as never });
}

test("a peer's score becomes its tag for the connection manager: more for who gives than for who only takes", async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const [giver, taker] = await Promise.all([consumer({ listen: [LISTEN] }), consumer()]);
  await connect(taker.libp2p, giver.libp2p);
  const [block] = await randomBlocks(1, 10_000);
  await giver.blockstore.put(block!.cid, block!.bytes);
  await taker.bitswap.get(block!.cid, { peers: [giver.libp2p.peerId] });
  await until(() => giver.scoreLedger.getAccount(taker.libp2p.peerId).reserved === 0);
  const tagOf = async (of: typeof giver, peer: typeof giver): Promise<number | undefined> =>
    (await of.libp2p.peerStore.get(peer.libp2p.peerId)).tags.get('workswap-score')?.value;
  const untilTagged = async (of: typeof giver, peer: typeof giver, value: number): Promise<void> => {
    while ((await tagOf(of, peer)) !== value) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  expect(await tagOf(taker, giver)).toBeUndefined();
  vi.advanceTimersByTime(10_000);
  // After one sample: floor(5.5 * 1.25) and floor(5.5 * 0.75).
  await untilTagged(taker, giver, 6);
  await untilTagged(giver, taker, 4);
  vi.advanceTimersByTime(10_000);
  await untilTagged(taker, giver, 3);
});

/** Peers that want one block each, all while the memory for sending is taken; answers who was served in which order. */
async function contention(accountOf: (peer: number) => { sent: number; recv: number }): Promise<number[]> {
  const blocks = await randomBlocks(9, 100_000);
  const store = await openBlockstore();
  await putAll(store, blocks);
  const gate = Promise.withResolvers<void>();
  const order: number[] = [];
  const read = store.read.bind(store);
  store.size = () => 100_000;
  store.read = async (cid) => {
    const which = blocks.findIndex((block) => block.cid.equals(cid));
    if (which === 8) await gate.promise;
    else order.push(which);
    return read(cid);
  };
  const ledger = openLedger();
  const ours = await startOurs(ledger, { blockstore: store, limits: { outstandingTotalBytes: 100_000 } });
  const peers = await Promise.all(Array.from({ length: 9 }, () => startRawPeer()));
  for (const [i, peer] of peers.entries()) {
    await connect(peer.libp2p, ours.libp2p);
    if (i === 8) continue;
    const { sent, recv } = accountOf(i);
    ledger.addToReceivedBytes(peer.peerId, recv);
    ledger.addToSentBytes(peer.peerId, sent);
  }
  const ask = async (i: number): Promise<void> => {
    await peers[i]!.want(ours.peerId, { cid: blocks[i]!.cid });
    await until(() => ledger.getAccount(peers[i]!.peerId).reserved === 100_000);
  };
  await ask(8);
  for (let i = 0; i < 8; i++) await ask(i);
  gate.resolve();
  await Promise.all(peers.map((peer) => peer.until((raw) => raw.blocks.length === 1)));
  return order;
}

const nobody = { sent: 0, recv: 0 };
const debtor = { sent: 600_000, recv: 0 };

test('under contention debtors wait behind others, though they came first, and are not starved', async () => {
  const order = await contention((peer) => (peer < 4 ? debtor : nobody));
  // Every fourth turn, the first among them, is for whoever waits longest; all others go by merit.
  expect(order).toEqual([0, 4, 5, 6, 1, 7, 2, 3]);
  expect(await contention((peer) => (peer < 4 ? nobody : debtor))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('in the soft zone even a peer that has paid a lot waits behind one that has free credit', async () => {
  const inDebt = { sent: 300_000, recv: 0 };
  // Has given us as much as it got, nearly: its debt ratio is the smallest of all.
  const oldFriend = { sent: 10_600_000, recv: 10_000_000 };
  const order = await contention((peer) => (peer < 4 ? oldFriend : inDebt));
  expect(order).toEqual([0, 4, 5, 6, 1, 7, 2, 3]);
});

test('a want that was refused is remembered, and announced when time has brought room', async () => {
  const ledger = openLedger({ newcomerLineBytes: 15_000, refreshBytesPerSecond: 50_000 });
  const [ours, peer] = await Promise.all([startOurs(ledger), startRawPeer()]);
  await connect(peer.libp2p, ours.libp2p);
  const blocks = await randomBlocks(2, 10_000);
  await putAll(ours.blockstore, blocks);
  await peer.want(ours.peerId, ...blocks.map(({ cid }) => ({ cid })));
  await peer.until((raw) => raw.blocks.length === 1 && raw.presences.some(({ have }) => !have));
  const refused = peer.presences[0]!.cid;
  await peer.until((raw) => raw.presences.some(({ cid, have }) => have && Buffer.compare(cid, refused) === 0));
  await peer.want(ours.peerId, { cid: refused });
  await peer.until((raw) => raw.blocks.length === 2);
});

test('a debtor that reconnects is still one, and gets its block when it has paid on the new connection', async () => {
  const ledger = openLedger({ newcomerLineBytes: 15_000 });
  const [ours, peer] = await Promise.all([startOurs(ledger), startRawPeer()]);
  await connect(peer.libp2p, ours.libp2p);
  const blocks = await randomBlocks(2, 10_000);
  await putAll(ours.blockstore, blocks);
  await peer.want(ours.peerId, { cid: blocks[0]!.cid });
  await peer.until((raw) => raw.blocks.length === 1);
  await peer.libp2p.hangUp(ours.peerId);
  await until(() => ours.libp2p.getConnections(peer.peerId).length === 0);
  await connect(peer.libp2p, ours.libp2p);
  await peer.want(ours.peerId, { cid: blocks[1]!.cid });
  await peer.until((raw) => raw.presences.some(({ have }) => !have));
  expect(peer.blocks).toHaveLength(1);
  const [wanted] = await randomBlocks(1, 10_000);
  const got = ours.bitswap.get(wanted!.cid, { peers: [peer.peerId] });
  await peer.until(({ wants }) => wants.some(({ cid }) => Buffer.compare(cid, wanted!.cid.bytes) === 0));
  await peer.block(ours.peerId, wanted!);
  await got;
  await peer.until((raw) => raw.presences.some(({ have }) => have));
});

/** A consumer that has used its credit up, told by an OVER_CREDIT what would pay. */
async function refusedWants(host: Awaited<ReturnType<typeof provider>>, debtor: Awaited<ReturnType<typeof consumer>>) {
  const client = await debtor.connect(host.addrs);
  const hello = await offer(debtor, await handler('hello'));
  const error: unknown = await client.call(hello, {}, { priceMaxBytes: 4 * MIB }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'OVER_CREDIT' });
  return (error as JobError).overCredit!.wants.map(String);
}

test('a debtor earns credit with a module that the provider misses, and the job that waits for it runs', async () => {
  const host = await provider({ config: { credit: { newcomerLineBytes: 3 * MIB, refreshBytesPerSecond: 0 } } });
  const [asker, debtor] = await Promise.all([consumer(), consumer()]);
  const client = await asker.connect(host.addrs);
  const module = await hostile();
  const cid = rawCid(module);
  const answer = client.call(cid, {}, { priceMaxBytes: MIB }).then((response) => response.text());
  await until(() => host.bitswap.wantlist().some((want) => want.equals(cid)));
  expect(await refusedWants(host, debtor)).toContain(cid.toString());
  const before = host.scoreLedger.getAccount(debtor.libp2p.peerId);
  await offer(debtor, module);
  expect(await answer).toBe('fine');
  const after = host.scoreLedger.getAccount(debtor.libp2p.peerId);
  expect(after.recv - before.recv).toBe(module.length);
  expect(after.balance).toBe(before.balance - module.length);
});

test('a debtor earns credit with content that a running job reads, and with a pin that the provider fetches', async () => {
  const host = await provider({ config: { credit: { newcomerLineBytes: 3 * MIB, refreshBytesPerSecond: 0 } } });
  const [asker, debtor] = await Promise.all([consumer(), consumer()]);
  const client = await asker.connect(host.addrs);
  const module = await offer(asker, await hostile());
  const [content, pin] = await randomBlocks(2, 300_000);
  const limits = { priceMaxBytes: MIB, fuelMax: 1_000_000, timeoutMs: 60_000 };
  const job = client.call(module, { path: `/loop?reads=${content!.cid.toString()}` }, limits);
  job.catch(() => {});
  const pinned = host.fetch(pin!.cid);
  const isWanted = (cid: CID): boolean => host.bitswap.wantlist().some((want) => want.equals(cid));
  await until(() => isWanted(content!.cid) && isWanted(pin!.cid));
  const wants = await refusedWants(host, debtor);
  expect(wants).toEqual(expect.arrayContaining([content!.cid.toString(), pin!.cid.toString()]));
  for (const { cid, bytes } of [content!, pin!]) await debtor.blocks.put(cid, bytes);
  expect(await pinned).toMatchObject({ blocks: 1, bytes: 300_000 });
  // It has its file now, and then loops as it was made to.
  await expect(job).rejects.toMatchObject({ code: 'OUT_OF_FUEL' });
  expect(host.scoreLedger.getAccount(debtor.libp2p.peerId)).toMatchObject({ blocksRecv: 600_000, balance: -600_000 });
});

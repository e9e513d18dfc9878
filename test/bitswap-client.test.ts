import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { sha512 } from 'multiformats/hashes/sha2';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { openBlockstore } from '../provider/store/index.ts';
import { connect, type Host, makeBlock, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';
import { type RawPeer, startRawPeer } from './bitswap-raw-peer.ts';

afterEach(stopHosts);

const IMPATIENT = { stallTimeoutMs: 300, askTimeoutMs: 1000 };

async function startWith<T extends { libp2p: Host['libp2p'] }>(
  init: Parameters<typeof startHost>[0],
  ...others: Promise<T>[]
): Promise<[Host, ...T[]]> {
  const [ours, ...peers] = await Promise.all([startHost(init), ...others]);
  for (const peer of peers) await connect(ours.libp2p, peer.libp2p);
  return [ours, ...peers];
}

const asksFor = (peer: RawPeer, cid: CID): number =>
  peer.wants.filter((want) => !want.cancel && !want.have && Buffer.compare(want.cid, cid.bytes) === 0).length;

test('the first block over an open connection takes one exchange of messages when the first guess is right', async () => {
  const [ours, peer] = await startWith({}, startRawPeer());
  const [block] = await randomBlocks(1, 5000);
  const bytes = ours.bitswap.get(block!.cid, { peers: [peer!.peerId] });
  await peer!.until(({ wants }) => wants.length === 1);
  expect(peer!.wants[0]).toMatchObject({ have: false, cancel: false });
  await peer!.block(ours.peerId, block!);
  expect(await bytes).toHaveLength(5000);
});

test('a peer that says DONT_HAVE is passed over for one that has the block', async () => {
  const [ours, empty, full] = await startWith({}, startHost(), startHost());
  const blocks = await randomBlocks(50, 4000);
  await putAll(full!.blockstore, blocks);
  const session = ours.bitswap.createSession({ peers: [empty!.peerId, full!.peerId] });
  const fetched = await Promise.all(blocks.map(({ cid }) => session.get(cid)));
  expect(fetched).toHaveLength(50);
  expect(ours.bitswap.stats.duplicateBlocks).toBe(0);
});

test('a peer that takes requests and never answers is given up for another', async () => {
  const [ours, silent, full] = await startWith({ limits: IMPATIENT }, startRawPeer(), startHost() as never);
  const host = full as unknown as Host;
  const blocks = await randomBlocks(20, 4000);
  await putAll(host.blockstore, blocks);
  const session = ours.bitswap.createSession({ peers: [silent!.peerId, host.peerId] });
  expect(await Promise.all(blocks.map(({ cid }) => session.get(cid)))).toHaveLength(20);
});

test('a peer that says HAVE and then DONT_HAVE, again and again, does not hold up the want', async () => {
  const [ours, liar, full] = await startWith({ limits: IMPATIENT }, startRawPeer(), startHost() as never);
  const host = full as unknown as Host;
  const [block] = await randomBlocks(1, 4000);
  await host.blockstore.put(block!.cid, block!.bytes);
  const bytes = ours.bitswap.get(block!.cid, { peers: [liar!.peerId] });
  await liar!.until((peer) => asksFor(peer, block!.cid) > 0);
  await liar!.presence(ours.peerId, block!.cid, true);
  await liar!.presence(ours.peerId, block!.cid, false);
  await liar!.presence(ours.peerId, block!.cid, true);
  expect(await bytes).toHaveLength(4000);
});

test('a block that does not match its CID is worth nothing and the right one is still found', async () => {
  const [ours, liar, full] = await startWith({ limits: IMPATIENT }, startRawPeer(), startHost() as never);
  const host = full as unknown as Host;
  const [block, other] = await randomBlocks(2, 4000);
  await host.blockstore.put(block!.cid, block!.bytes);
  const bytes = ours.bitswap.get(block!.cid, { peers: [liar!.peerId, host.peerId] });
  await liar!.until((peer) => peer.wants.length > 0);
  await liar!.block(ours.peerId, { cid: block!.cid, bytes: other!.bytes });
  expect(Buffer.compare(await bytes, block!.bytes)).toBe(0);
  expect(ours.ledger.account(liar!.peerId).recv).toBe(0);
  expect(ours.bitswap.stats.junkBlocks).toBe(1);
});

test('a peer that goes in the middle is replaced by another', async () => {
  const [ours, first, second] = await startWith({}, startRawPeer(), startHost() as never);
  const host = second as unknown as Host;
  const blocks = await randomBlocks(30, 4000);
  await putAll(host.blockstore, blocks);
  const session = ours.bitswap.createSession({ peers: [first!.peerId, host.peerId] });
  const all = Promise.all(blocks.map(({ cid }) => session.get(cid)));
  await first!.until(({ wants }) => wants.length > 0);
  await first!.libp2p.hangUp(ours.peerId);
  expect(await all).toHaveLength(30);
});

test('a want outlives the connection: the peer is asked again when it comes back', async () => {
  const [ours, peer] = await startWith({}, startRawPeer());
  const [block] = await randomBlocks(1, 4000);
  const bytes = ours.bitswap.get(block!.cid);
  await peer!.until((raw) => asksFor(raw, block!.cid) === 1);
  await peer!.libp2p.hangUp(ours.peerId);
  await until(() => ours.libp2p.getConnections(peer!.peerId).length === 0);
  await connect(ours.libp2p, peer!.libp2p);
  await peer!.until((raw) => asksFor(raw, block!.cid) === 2);
  await peer!.block(ours.peerId, block!);
  expect(await bytes).toHaveLength(4000);
});

test('a want for a block that nobody has is served when a peer gets it later', async () => {
  const [ours, peer] = await startWith({}, startHost());
  const [block] = await randomBlocks(1, 4000);
  const bytes = ours.bitswap.get(block!.cid);
  await until(() => peer!.bitswap.wantlistOf(ours.peerId).length === 1);
  await peer!.blockstore.put(block!.cid, block!.bytes);
  peer!.bitswap.notify(block!.cid, block!.bytes);
  expect(await bytes).toHaveLength(4000);
  expect(ours.ledger.account(peer!.peerId).recv).toBe(4000);
});

test('a peer that connects later is asked for what nobody had', async () => {
  const [ours, late] = await Promise.all([startHost(), startHost()]);
  const [block] = await randomBlocks(1, 4000);
  await late.blockstore.put(block!.cid, block!.bytes);
  const bytes = ours.bitswap.get(block!.cid);
  await connect(ours.libp2p, late.libp2p);
  expect(await bytes).toHaveLength(4000);
});

test('without a connected peer, the router finds one', async () => {
  const holder = await startHost();
  const asked: string[] = [];
  const ours = await startHost({
    router: {
      async *findProviders(cid) {
        asked.push(cid.toString());
        yield { id: holder.peerId, multiaddrs: holder.libp2p.getMultiaddrs() };
      },
    },
  });
  const blocks = await randomBlocks(20, 4000);
  await putAll(holder.blockstore, blocks);
  expect(await Promise.all(blocks.map(({ cid }) => ours.bitswap.get(cid)))).toHaveLength(20);
  expect(asked).toHaveLength(1);
});

test('one fetch serves all who ask at once', async () => {
  const [ours, peer] = await startWith({}, startRawPeer());
  const [block] = await randomBlocks(1, 4000);
  const all = Promise.all(Array.from({ length: 10 }, () => ours.bitswap.get(block!.cid)));
  await peer!.until(({ wants }) => wants.length > 0);
  await peer!.block(ours.peerId, block!);
  expect(await all).toHaveLength(10);
  expect(asksFor(peer!, block!.cid)).toBe(1);
  expect(ours.ledger.account(peer!.peerId).recv).toBe(4000);
});

test('a block that is fetched into the store is not handed out, and who needs its bytes meanwhile gets them', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-fetch-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const blockstore = await openBlockstore(directory);
  const taken = Promise.withResolvers<Uint8Array>();
  const gate = Promise.withResolvers<void>();
  const take = blockstore.take.bind(blockstore);
  blockstore.take = async (cid, bytes) => {
    taken.resolve(bytes);
    await gate.promise;
    await take(cid, bytes);
  };
  const [ours, full] = await startWith({ blockstore }, startHost());
  const [block, small] = [...(await randomBlocks(1, 200_000)), ...(await randomBlocks(1, 2000))];
  await putAll(full!.blockstore, [block!, small!]);
  const session = ours.bitswap.createSession({ peers: [full!.peerId] });
  const size = session.fetch(block!.cid);
  const bytes = await taken.promise;
  expect(bytes).toHaveLength(200_000);
  const inTime = ours.bitswap.get(block!.cid);
  gate.resolve();
  expect(await size).toBe(200_000);
  // Its memory is given back, and what others get is what is on the disk.
  expect(bytes).toHaveLength(0);
  expect(Buffer.compare(await inTime, block!.bytes)).toBe(0);
  expect(await session.fetch(block!.cid)).toBe(200_000);
  expect(await session.fetch(small!.cid)).toBe(2000);
  expect(Buffer.compare((await blockstore.read(small!.cid))!, small!.bytes)).toBe(0);
  expect(ours.bitswap.stats.blocksReceived).toBe(2);
});

test('who wants the bytes of a block together with others who do not gets them without reading them again', async () => {
  const [ours, peer] = await startWith({}, startRawPeer());
  const [block] = await randomBlocks(1, 100_000);
  const session = ours.bitswap.createSession({ peers: [peer!.peerId] });
  const both = Promise.all([session.fetch(block!.cid), session.get(block!.cid)]);
  await peer!.until(({ wants }) => wants.length > 0);
  await peer!.block(ours.peerId, block!);
  const [size, bytes] = await both;
  expect(size).toBe(100_000);
  expect(Buffer.compare(bytes, block!.bytes)).toBe(0);
});

test('a peer that has nothing of a session is not asked for every one of its blocks', async () => {
  const [ours, empty, full] = await startWith(
    { limits: { askedPerPeerBytes: 100_000 } },
    startRawPeer(),
    startHost() as never,
  );
  const host = full as unknown as Host;
  const blocks = await randomBlocks(1000, 10_000);
  await putAll(host.blockstore, blocks);
  // The one that has them has always as many as it may have: there are others to ask.
  const session = ours.bitswap.createSession({ peers: [empty!.peerId, host.peerId] });
  const all = Promise.all(blocks.map(({ cid }) => session.fetch(cid)));
  let answered = 0;
  const isOver = all.then(() => true);
  while (!(await Promise.race([isOver, empty!.until(({ wants }) => wants.length > answered).then(() => false)]))) {
    const wants = empty!.wants.slice(answered);
    answered += wants.length;
    for (const { cid, cancel } of wants) if (!cancel) await empty!.presence(ours.peerId, CID.decode(cid), false);
  }
  expect(await all).toHaveLength(1000);
  expect(empty!.wants.filter(({ cancel }) => !cancel).length).toBeLessThan(60);
});

test('giving up takes the want back from the peer, when the last one gives up', async () => {
  const [ours, peer] = await startWith({}, startRawPeer());
  const [block] = await randomBlocks(1, 4000);
  const [first, second] = [new AbortController(), new AbortController()];
  const one = ours.bitswap.get(block!.cid, { signal: first.signal });
  const two = ours.bitswap.get(block!.cid, { signal: second.signal });
  await peer!.until(({ wants }) => wants.length === 1);
  first.abort(new Error('enough'));
  await expect(one).rejects.toThrow('enough');
  expect(ours.bitswap.wantlist()).toHaveLength(1);
  second.abort(new Error('enough too'));
  await expect(two).rejects.toThrow('enough too');
  await peer!.until(({ wants }) => wants.some(({ cancel }) => cancel));
  expect(ours.bitswap.wantlist()).toHaveLength(0);
});

test('without a signal, waiting ends at the limit with the CID in the message', async () => {
  const ours = await startHost({ limits: { getTimeoutMs: 50 } });
  const [block] = await randomBlocks(1, 10);
  await expect(ours.bitswap.get(block!.cid)).rejects.toMatchObject({
    code: 'BLOCK_UNAVAILABLE',
    retryable: true,
    message: expect.stringContaining(block!.cid.toString()),
  });
});

test('closing a session ends its waiting and leaves others alone', async () => {
  const [ours, peer] = await startWith({}, startRawPeer());
  const [block] = await randomBlocks(1, 4000);
  const session = ours.bitswap.createSession({ peers: [peer!.peerId] });
  const inSession = session.get(block!.cid);
  const outside = ours.bitswap.get(block!.cid);
  await peer!.until(({ wants }) => wants.length > 0);
  session.close();
  await expect(inSession).rejects.toMatchObject({ code: 'BLOCK_UNAVAILABLE' });
  await peer!.block(ours.peerId, block!);
  expect(await outside).toHaveLength(4000);
});

test('getMany hands out every block once', async () => {
  const [ours, peer] = await startWith({}, startHost());
  const blocks = await randomBlocks(2500, 100);
  await putAll(peer!.blockstore, blocks);
  const session = ours.bitswap.createSession({ peers: [peer!.peerId] });
  const seen = new Set<string>();
  for await (const { cid, bytes } of session.getMany(blocks.map(({ cid }) => cid))) {
    expect(bytes).toHaveLength(100);
    seen.add(cid.toString());
  }
  expect(seen.size).toBe(2500);
});

test.each([1, 2, 3])('with three full holders, %i of them named, hardly a byte comes twice', async (named) => {
  const [ours, ...holders] = await startWith({}, startHost(), startHost(), startHost());
  const blocks = await randomBlocks(600, 1000);
  for (const holder of holders) await putAll(holder.blockstore, blocks);
  const session = ours.bitswap.createSession({ peers: holders.slice(0, named).map(({ peerId }) => peerId) });
  await Promise.all(blocks.map(({ cid }) => session.get(cid)));
  await until(() => holders.every(({ ledger }) => ledger.open.size === 0));
  expect(ours.bitswap.stats.duplicateBytes).toBeLessThan(600 * 1000 * 0.05);
  for (const holder of holders) {
    await until(() => ours.ledger.account(holder.peerId).recv === holder.ledger.account(ours.peerId).sent);
  }
});

test.each(['silent', 'lying', 'slow'])('of three full holders one is %s: the others finish its share', async (kind) => {
  // Only stealing can help: the other ways to give a peer up are far away.
  const patient = { limits: { stallTimeoutMs: 600_000, askTimeoutMs: 600_000 } };
  const [ours, bad, ...good] = await startWith(patient, startRawPeer(), startHost() as never, startHost() as never);
  const holders = good as unknown as Host[];
  const blocks = await randomBlocks(300, 20_000);
  for (const { blockstore } of holders) await putAll(blockstore, blocks);
  const session = ours.bitswap.createSession({ peers: [bad!.peerId, ...holders.map(({ peerId }) => peerId)] });
  const fetched = Promise.all(blocks.map(({ cid }) => session.get(cid)));
  await bad!.until(({ wants }) => wants.length > 3);
  const asked = blocks.filter(({ cid }) => asksFor(bad!, cid) > 0);
  if (kind === 'slow') await bad!.block(ours.peerId, ...asked.slice(0, 2));
  if (kind === 'lying') {
    for (const { cid } of asked.slice(0, 2)) await bad!.block(ours.peerId, { cid, bytes: new Uint8Array(20_000) });
  }
  for (const [index, bytes] of (await fetched).entries()) {
    expect(Buffer.compare(bytes, blocks[index]!.bytes)).toBe(0);
  }
  expect(ours.bitswap.stats.duplicateBytes).toBeLessThan(300 * 20_000 * 0.05);
  expect(ours.ledger.account(bad!.peerId).recv).toBe(kind === 'slow' ? 40_000 : 0);
});

test('CIDv0, CIDv1 and other hashes come through; an identity CID needs no peer', async () => {
  const [ours, peer] = await startWith({}, startHost());
  const bytes = new Uint8Array(3000).fill(9);
  const v1 = await makeBlock(bytes);
  const v0 = CID.createV0(v1.cid.multihash as Parameters<typeof CID.createV0>[0]);
  const other = CID.createV1(0x70, await sha512.digest(bytes));
  await peer!.blockstore.put(v0, bytes);
  await peer!.blockstore.put(other, bytes);
  expect(await ours.bitswap.get(v0, { peers: [peer!.peerId] })).toHaveLength(3000);
  expect(await ours.bitswap.get(other, { peers: [peer!.peerId] })).toHaveLength(3000);
  expect(await ours.bitswap.get(CID.createV1(0x55, Digest.create(0, Uint8Array.of(1, 2))))).toEqual(
    Uint8Array.of(1, 2),
  );
});

test('a hash that cannot be checked here is refused at once, unless a hasher is given', async () => {
  const [ours, peer] = await startWith(
    { hashers: new Map([[0x300001, () => new Uint8Array(32).fill(5)]]) },
    startHost(),
  );
  const known = CID.createV1(0x55, Digest.create(0x300001, new Uint8Array(32).fill(5)));
  await peer!.blockstore.put(known, new Uint8Array(2000));
  expect(await ours.bitswap.get(known, { peers: [peer!.peerId] })).toHaveLength(2000);
  const unknown = CID.createV1(0x55, Digest.create(0x300002, new Uint8Array(32)));
  await expect(ours.bitswap.get(unknown)).rejects.toMatchObject({ code: 'UNSUPPORTED_HASH', hashCode: 0x300002 });
});

import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import type { BitswapInit } from '../provider/bitswap/index.ts';
import { connect, type Host, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';
import { type Entry, frameOf, lengthPrefixed, type RawPeer, startRawPeer, wantlistOf } from './bitswap-raw-peer.ts';

afterEach(stopHosts);

const MIB = 1024 * 1024;

interface Scene {
  ours: Host;
  attacker: RawPeer;
  /** Fails when our node no longer serves others. */
  stillServes(): Promise<void>;
}

async function startScene(init: BitswapInit = {}): Promise<Scene> {
  const [ours, attacker, friend] = await Promise.all([startHost(init), startRawPeer(), startHost()]);
  await connect(attacker.libp2p, ours.libp2p);
  await connect(friend.libp2p, ours.libp2p);
  const stillServes = async (): Promise<void> => {
    const [block] = await randomBlocks(1, 5000);
    await ours.blockstore.put(block!.cid, block!.bytes);
    expect(await friend.bitswap.get(block!.cid, { peers: [ours.peerId] })).toHaveLength(5000);
  };
  return { ours, attacker, stillServes };
}

const fakeCid = (): Uint8Array => Uint8Array.of(1, 0x55, 0x12, 32, ...randomBytes(32));
const fakeWants = (count: number): Entry[] => Array.from({ length: count }, () => ({ cid: fakeCid() }));

/** Writes raw bytes on a stream and resolves when we reset it. */
async function untilReset({ ours, attacker }: Scene, ...chunks: Uint8Array[]): Promise<void> {
  const stream = await attacker.open(ours.peerId);
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.addEventListener('close', () => resolve());
  for (const chunk of chunks) {
    if (stream.writeStatus === 'writable') stream.send(chunk);
  }
  await promise;
}

test('a flood of wants for blocks that do not exist is remembered up to the limit of one peer', async () => {
  const { ours, attacker, stillServes } = await startScene();
  for (let round = 0; round < 5; round++) await attacker.want(ours.peerId, ...fakeWants(20_000));
  await attacker.until(({ presences }) => presences.length > 1000);
  expect(ours.bitswap.stats.peerWants).toBeLessThanOrEqual(1024);
  await stillServes();
});

test('wants that we cannot serve make room for one that we can', async () => {
  const { ours, attacker } = await startScene();
  await attacker.want(ours.peerId, ...fakeWants(2000));
  await until(() => ours.bitswap.stats.peerWants === 1024);
  const [block] = await randomBlocks(1, 5000);
  await ours.blockstore.put(block!.cid, block!.bytes);
  await until(() => attacker.presences.length >= 1024);
  await attacker.want(ours.peerId, { cid: block!.cid });
  await attacker.until(({ blocks }) => blocks.length === 1);
});

test('many peers together cannot make us remember more than the limit of all', async () => {
  const { ours, stillServes } = await startScene({ limits: { wantsTotalMax: 1500 } });
  const crowd = await Promise.all(Array.from({ length: 4 }, () => startRawPeer()));
  for (const peer of crowd) await connect(peer.libp2p, ours.libp2p);
  await Promise.all(crowd.map((peer) => peer.want(ours.peerId, ...fakeWants(1024))));
  await until(() => ours.bitswap.stats.peersServed === 4 && ours.bitswap.stats.peerWants === 1500);
  await stillServes();
});

test('a message of two million empty entries is cut off, and the next message is read', async () => {
  const scene = await startScene();
  const entries = new Uint8Array(4 * MIB - 16);
  for (let offset = 0; offset < entries.length; offset += 2) entries[offset] = 0x0a;
  const wantlist = Buffer.concat([Uint8Array.of(0x0a), lengthPrefixed(entries)]);
  await untilReset(scene, lengthPrefixed(wantlist));
  expect(scene.ours.bitswap.stats.peerWants).toBe(0);
  await scene.attacker.want(scene.ours.peerId, { cid: fakeCid() });
  await scene.attacker.until(({ presences }) => presences.length === 1);
  await scene.stillServes();
});

test.each([
  { what: 'a length over 4 MiB', bytes: Uint8Array.of(0x81, 0x80, 0x80, 0x02) },
  { what: 'an endless length', bytes: new Uint8Array(10).fill(0xff) },
  { what: 'a field longer than its message', bytes: Uint8Array.of(3, 0x0a, 0x7f, 0x00) },
  { what: 'an unknown wire type', bytes: Uint8Array.of(2, 0x0f, 0x00) },
  { what: 'a varint that is cut off', bytes: Uint8Array.of(1, 0xff) },
])('$what resets the stream and nothing else', async ({ bytes }) => {
  const scene = await startScene();
  await untilReset(scene, bytes);
  await scene.stillServes();
});

test('streams that stop in the middle of a message hold a bounded amount of memory', async () => {
  const scene = await startScene({ limits: { partialPerPeerBytes: MIB } });
  const half = frameOf({ blocks: [{ prefix: new Uint8Array(4), data: new Uint8Array(700_000) }] }).subarray(0, 600_000);
  const first = await scene.attacker.open(scene.ours.peerId);
  first.send(half);
  await until(() => first.writeBufferLength === 0);
  // The second one goes over the limit; the first is not hurt by it.
  await untilReset(scene, half);
  expect(first.status).toBe('open');
  await scene.stillServes();
});

test('a message that drips in for longer than the deadline is cut off however steadily it drips', async () => {
  const scene = await startScene({ limits: { receiveTimeoutMs: 100 } });
  const stream = await scene.attacker.open(scene.ours.peerId);
  const closed = Promise.withResolvers<void>();
  stream.addEventListener('close', () => closed.resolve());
  stream.send(lengthPrefixed(new Uint8Array(100_000)).subarray(0, 4));
  const drip = setInterval(() => {
    if (stream.writeStatus === 'writable') stream.send(new Uint8Array(1));
  }, 20);
  await closed.promise;
  clearInterval(drip);
  await scene.stillServes();
});

test('blocks that nobody asked for earn nothing and are cut off', async () => {
  const scene = await startScene({ limits: { junkPerPeerBytes: 100_000 } });
  const { ours, attacker } = scene;
  const junk = await randomBlocks(30, 10_000);
  // One pending want, so that junk has to be hashed to be recognised.
  ours.bitswap.get((await randomBlocks(1, 10))[0]!.cid).catch(() => undefined);
  await untilReset(
    scene,
    ...junk.map(({ cid, bytes }) =>
      frameOf({ blocks: [{ prefix: cid.bytes.slice(0, 4), data: Uint8Array.from(bytes) }] }),
    ),
  );
  expect(ours.ledger.account(attacker.peerId).recv).toBe(0);
  expect(ours.bitswap.stats.junkBytes).toBeLessThanOrEqual(110_000);
  for (const { cid } of junk) expect(await ours.blockstore.has(cid)).toBe(false);
  await scene.stillServes();
});

test('the same wanted block pushed many times is paid once', async () => {
  const { ours, attacker } = await startScene();
  const [block] = await randomBlocks(1, 10_000);
  const bytes = ours.bitswap.get(block!.cid, { peers: [attacker.peerId] });
  await attacker.until(({ wants }) => wants.length > 0);
  await attacker.block(ours.peerId, block!, block!, block!);
  await bytes;
  await attacker.block(ours.peerId, block!);
  await until(() => ours.bitswap.stats.junkBlocks === 3);
  expect(ours.ledger.account(attacker.peerId).recv).toBe(10_000);
});

test('a block that a peer was only asked about is not paid when it comes unneeded and large', async () => {
  const { ours, attacker } = await startScene();
  const holder = await startHost();
  await connect(ours.libp2p, holder.libp2p);
  const [block] = await randomBlocks(1, 10_000);
  await holder.blockstore.put(block!.cid, block!.bytes);
  await ours.bitswap.get(block!.cid, { peers: [holder.peerId] });
  await attacker.block(ours.peerId, block!);
  await until(() => ours.bitswap.stats.junkBlocks === 1);
  expect(ours.ledger.account(attacker.peerId).recv).toBe(0);
});

test('a peer that wants 400 MiB and never reads costs a few MiB, and pays for what was sent', async () => {
  const ledgerLimits = { sendTimeoutMs: 500 };
  const { ours, attacker, stillServes } = await startScene({ limits: ledgerLimits });
  const blocks = await randomBlocks(40, MIB);
  await putAll(ours.blockstore, blocks);
  await attacker.libp2p.unhandle([
    '/ipfs/bitswap/1.2.0',
    '/ipfs/bitswap/1.1.0',
    '/ipfs/bitswap/1.0.0',
    '/ipfs/bitswap',
  ]);
  await attacker.libp2p.handle('/ipfs/bitswap/1.2.0', (stream) => stream.pause());
  // The stream that was opened ahead of need still reads.
  for (const { streams } of ours.libp2p.getConnections(attacker.peerId)) {
    for (const stream of streams)
      if (stream.protocol.startsWith('/ipfs/bitswap')) stream.abort(new Error('closed for the test'));
  }
  await attacker.want(ours.peerId, ...blocks.map(({ cid }) => ({ cid })));
  let most = 0;
  await until(() => {
    most = Math.max(most, ours.bitswap.stats.outstandingBytes);
    return ours.ledger.account(attacker.peerId).ghost > 0 && ours.ledger.open.size === 0;
  });
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MIB);
  expect(ours.ledger.account(attacker.peerId)).toMatchObject({ sent: 0, reserved: 0 });
  await stillServes();
});

test('two connections of one peer share one account and one wantlist', async () => {
  const { ours, attacker } = await startScene();
  await attacker.libp2p.dial(ours.libp2p.getMultiaddrs(), { force: true });
  await until(() => ours.libp2p.getConnections(attacker.peerId).length === 2);
  const blocks = await randomBlocks(2, 5000);
  await putAll(ours.blockstore, blocks);
  for (const [index, connection] of attacker.libp2p.getConnections(ours.peerId).entries()) {
    const stream = await connection.newStream('/ipfs/bitswap/1.2.0');
    stream.send(frameOf({ wantlist: wantlistOf([{ cid: blocks[index]!.cid }]) }));
  }
  await attacker.until((raw) => raw.blocks.length === 2);
  await until(() => ours.ledger.open.size === 0);
  expect(ours.ledger.account(attacker.peerId).sent).toBe(10_000);
});

import { multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from '@libp2p/interface';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../provider/config.ts';
import { createPeer, type Peer } from '../provider/peer.ts';
import { createProvider } from '../provider/provider.ts';
import { putAll, randomBlocks, stopHosts, until } from './bitswap-host.ts';
import { RawPeer, startRawPeer } from './bitswap-raw-peer.ts';
import { consumer, hostile, LISTEN, offer } from './fixtures.ts';

/**
 * Goal: idle peers cannot keep a node's places from others, however many they are. Method: a node with few places, real
 * connections, and a crowd whose peers each keep a Bitswap stream open with half a message on it.
 */

const PLACES = 20;
const CROWD = 60;
const node = { listen: [LISTEN], connectionsMax: PLACES, connectionRatePerHostMax: 1000, streamsPerConnectionMax: 64 };

afterEach(stopHosts);

async function startVictim(allow: string[] = []): Promise<Peer> {
  const peer = await createPeer({ node, credit: { allow }, routing: parseConfig({}, 'test').routing });
  await peer.start();
  onTestFinished(() => peer.stop());
  return peer;
}

type Target = Pick<Peer, 'libp2p'>;

async function enter(peer: RawPeer, { libp2p }: Target): Promise<void> {
  await peer.libp2p.dial(libp2p.getMultiaddrs());
  await until(() => isIn(peer, libp2p));
}

function isIn({ peerId }: { peerId: PeerId }, libp2p: Peer['libp2p']): boolean {
  return libp2p.getConnections(peerId).some(({ status }) => status === 'open');
}

/** New identities, one after the other; each came in, and has an open stream that Bitswap waits on. */
async function crowd(victim: Target, count = CROWD): Promise<RawPeer[]> {
  const peers: RawPeer[] = [];
  for (let i = 0; i < count; i++) {
    const peer = await startRawPeer();
    await enter(peer, victim);
    const stream = await peer.open(victim.libp2p.peerId);
    stream.send(Uint8Array.of(100, 0x12));
    peers.push(peer);
  }
  return peers;
}

/** The victim fetches a block from this peer: the peer has given something. */
async function trade(victim: Peer, peer: RawPeer): Promise<void> {
  const [block] = await randomBlocks(1, 5000);
  const got = victim.bitswap.get(block!.cid, { peers: [peer.peerId] });
  await peer.until(({ wants }) => wants.some(({ cid }) => Buffer.compare(cid, block!.cid.bytes) === 0));
  await peer.block(victim.libp2p.peerId, block!);
  await got;
}

test('a crowd of idle new identities keeps nobody out, and pushes out nobody who traded or is a friend', async () => {
  const [friend, trader, absent, newcomer] = (await Promise.all(Array.from({ length: 4 }, () => startRawPeer()))) as [
    RawPeer,
    RawPeer,
    RawPeer,
    RawPeer,
  ];
  const victim = await startVictim([friend.peerId.toString()]);
  for (const peer of [friend, trader, absent]) await enter(peer, victim);
  await trade(victim, trader);
  await trade(victim, absent);
  await absent.libp2p.hangUp(victim.libp2p.peerId);
  await until(() => !isIn(absent, victim.libp2p));

  await crowd(victim);
  expect(victim.libp2p.getConnections().length).toBeLessThan(PLACES);
  await enter(absent, victim);
  await enter(newcomer, victim);
  const [block] = await randomBlocks(1, 5000);
  await putAll(victim.blockstore, [block!]);
  await newcomer.want(victim.libp2p.peerId, { cid: block!.cid });
  await newcomer.until(({ blocks }) => blocks.length === 1);
  expect(isIn(newcomer, victim.libp2p)).toBe(true);

  await crowd(victim);
  for (const peer of [friend, trader, absent]) expect(isIn(peer, victim.libp2p)).toBe(true);
  expect(victim.libp2p.getConnections().length).toBeLessThan(PLACES);
});

test('a peer that the operator trusts while the node runs keeps its place, and not when he blocks it', async () => {
  const provider = await createProvider({ config: { node } });
  onTestFinished(() => provider.stop());
  const [friend, blocked] = [await startRawPeer(), await startRawPeer()];
  await provider.setOverride(blocked.peerId, 'unlimited');
  for (const peer of [friend, blocked]) await enter(peer, provider);
  await provider.setOverride(friend.peerId, 'unlimited');
  await provider.setOverride(blocked.peerId, 'blocked');
  await crowd(provider);
  expect(isIn(friend, provider.libp2p)).toBe(true);
  expect(isIn(blocked, provider.libp2p)).toBe(false);
});

test('peers that traded fill all places, and a newcomer still gets one', async () => {
  const victim = await startVictim();
  for (let i = 0; i < PLACES; i++) {
    const peer = await startRawPeer();
    await enter(peer, victim);
    await trade(victim, peer);
  }
  const newcomer = await startRawPeer();
  await enter(newcomer, victim);
  expect(isIn(newcomer, victim.libp2p)).toBe(true);
});

test('a job that runs ends well while a crowd comes, though its consumer is a stranger', async () => {
  const provider = await createProvider({ config: { node } });
  onTestFinished(() => provider.stop());
  const handler = await offer(provider, await hostile());
  const caller = await consumer();
  const client = await caller.connect(provider.addrs);
  const stop = new AbortController();
  const answer = client.call(handler, { path: '/loop' }, {}, { signal: stop.signal });
  const ended = expect(answer).rejects.toThrow();
  await until(() => provider.stats().sandbox.running > 0);
  await crowd(provider, 2 * PLACES);
  expect(provider.stats().sandbox.running).toBe(1);
  expect(isIn({ peerId: caller.libp2p.peerId }, provider.libp2p)).toBe(true);
  stop.abort();
  await ended;
  expect(await client.call(handler, { path: '/' })).toMatchObject({ status: 200 });
});

test('one identity with many connections does not take the places of others', async () => {
  const victim = await startVictim();
  const greedy = await startRawPeer();
  await enter(greedy, victim);
  await trade(victim, greedy);
  const addr = multiaddr(victim.libp2p.getMultiaddrs()[0]!.toString());
  for (let i = 0; i < 2 * PLACES; i++) await greedy.libp2p.dial(addr, { force: true });
  const newcomer = await startRawPeer();
  await enter(newcomer, victim);
  expect(victim.libp2p.getConnections().length).toBeLessThan(PLACES);
  expect(isIn(newcomer, victim.libp2p)).toBe(true);
});

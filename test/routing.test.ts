import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Libp2p, PeerId } from '@libp2p/interface';
import { lpStream } from '@libp2p/utils';
import { decode } from '@ipld/dag-cbor';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import type { KadDHT } from '@libp2p/kad-dht';
import type { CID } from 'multiformats/cid';
import { expect, onTestFinished, test, vi } from 'vitest';
import { rawCid } from '../sdk/protocol/index.ts';
import type { ConfigInput } from '../provider/config.ts';
import { parseConfig } from '../provider/config.ts';
import { createProvider, type Provider } from '../provider/provider.ts';
import { PROVIDER_RENDEZVOUS, prepareRouting } from '../provider/routing/index.ts';
import { PEERS_PROTOCOL } from '../provider/routing/peer-exchange.ts';
import { createNode } from '../provider/node/index.ts';
import { consumer, directory, LISTEN, provider } from './fixtures.ts';
import { startProvider, workswap } from './processes.ts';

/** Goal: content is found without being told where it is. Real nodes on loopback, which the configuration allows. */

type RoutingInput = NonNullable<ConfigInput['routing']>;
const PATIENT = { timeout: 20_000, interval: 50 };

const node = (routing: RoutingInput): Promise<Provider> =>
  provider({ config: { routing: { privateAddresses: true, ...routing } } });

async function has(host: Provider, bytes: Uint8Array): Promise<CID> {
  const cid = rawCid(bytes);
  await host.blocks.put(cid, bytes);
  return cid;
}

const dhtOf = ({ libp2p }: Provider): KadDHT => (libp2p.services as unknown as { dht: KadDHT }).dht;

/** Who this node would name to others that ask for the CID. */
async function providersIn(host: Provider, cid: CID): Promise<string[]> {
  for await (const event of dhtOf(host).findProviders(cid, { signal: AbortSignal.timeout(500) })) {
    if (event.name === 'PROVIDER') return event.providers.map(({ id }) => id.toString());
  }
  return [];
}

test('a block is found in the DHT and fetched from a peer that nobody introduced', async () => {
  const middle = await node({ dht: 'server' });
  const holder = await node({ dht: 'server', bootstrap: middle.addrs, provide: 'roots' });
  const bytes = randomBytes(5000);
  const cid = await has(holder, bytes);
  holder.provide(cid);
  await vi.waitFor(async () => expect(await providersIn(middle, cid)).toContain(holder.peerId.toString()), PATIENT);
  const seeker = await node({ dht: 'client', bootstrap: middle.addrs });
  expect(seeker.libp2p.getConnections(holder.peerId)).toHaveLength(0);
  await expect(seeker.fetch(cid, { signal: AbortSignal.timeout(20_000) })).resolves.toMatchObject({ bytes: 5000 });
  expect(seeker.scoreLedger.getReceipt(holder.peerId)).toMatchObject({ recv: 5000 });
  expect(middle.scoreLedger.getReceipt(seeker.peerId)?.sent ?? 0).toBe(0);
}, 60_000);

test('a provider announces all it holds and that it serves jobs, so consumers need to know nobody', async () => {
  const middle = await node({ dht: 'server' });
  const dataDir = await directory();
  const before = await provider({ dataDir });
  const cid = await has(before, randomBytes(100));
  await before.stop();
  const holder = await provider({
    dataDir,
    config: { routing: { dht: 'client', bootstrap: middle.addrs, provide: 'all', privateAddresses: true } },
  });
  for (const announced of [cid, PROVIDER_RENDEZVOUS]) {
    await vi.waitFor(
      async () => expect(await providersIn(middle, announced)).toContain(holder.peerId.toString()),
      PATIENT,
    );
  }
}, 60_000);

test('`workswap provider --want` finds content through the DHT of its configuration', async () => {
  const middle = await node({ dht: 'server' });
  const holder = await node({ dht: 'server', bootstrap: middle.addrs, provide: 'roots' });
  const cid = await has(holder, randomBytes(3000));
  holder.provide(cid);
  await vi.waitFor(async () => expect(await providersIn(middle, cid)).toContain(holder.peerId.toString()), PATIENT);
  const data = await directory();
  const config = join(data, 'workswap.toml');
  await writeFile(
    config,
    `[routing]\ndht = "client"\nprivateAddresses = true\nbootstrap = [${middle.addrs.map((addr) => JSON.stringify(addr)).join(', ')}]\n`,
  );
  const seeker = await startProvider({ data, config, args: ['--want', cid.toString()] });
  expect(await seeker.event('fetched')).toMatchObject({ cid: cid.toString(), bytes: 3000 });
  expect(await seeker.stop()).toBe(0);
}, 60_000);

test('a contact that is not there yet is tried again, and again after it went', async () => {
  const dataDir = await directory();
  const early = await provider({ dataDir });
  const [addr] = early.addrs;
  await early.stop();
  const ours = await node({ bootstrap: [addr!] });
  const late = await createProvider({ dataDir, config: { node: { listen: [addr!.replace(/\/p2p\/.*/, '')] } } });
  onTestFinished(() => late.stop());
  await vi.waitFor(() => expect(late.libp2p.getConnections(ours.peerId)).toHaveLength(1), PATIENT);
  await late.libp2p.hangUp(ours.peerId);
  await vi.waitFor(() => expect(late.libp2p.getConnections(ours.peerId)).toHaveLength(1), PATIENT);
}, 60_000);

test('addresses in private networks that others name are neither kept nor dialled, configured ones are', async () => {
  const contact = await provider();
  const ours = await provider({ config: { routing: { dht: 'server', bootstrap: contact.addrs } } });
  await vi.waitFor(() => expect(ours.libp2p.getConnections(contact.peerId)).toHaveLength(1), PATIENT);
  const stranger = await provider();
  const told = [...stranger.addrs, '/ip4/10.0.0.1/tcp/22', '/dns4/localhost/tcp/4001', '/ip4/1.2.3.4/tcp/4001'];
  await ours.libp2p.peerStore.merge(stranger.peerId, { multiaddrs: told.map((text) => multiaddr(text)) });
  const { addresses } = await ours.libp2p.peerStore.get(stranger.peerId);
  expect(addresses.map(({ multiaddr: address }) => address.toString())).toEqual(['/ip4/1.2.3.4/tcp/4001']);
  const known = await ours.libp2p.peerStore.get(contact.peerId);
  expect(known.addresses).not.toHaveLength(0);
}, 60_000);

/** What `teller` answers. Only one question is open on a connection, and `asker` may have its own there: ours comes after it. */
async function peersToldBy(teller: { peerId: PeerId }, asker: { libp2p: Libp2p }): Promise<Uint8Array[]> {
  return vi.waitFor(async () => {
    const stream = await asker.libp2p.dialProtocol(teller.peerId, PEERS_PROTOCOL);
    const answer = await lpStream(stream).read({ signal: AbortSignal.timeout(20_000) });
    return decode<Uint8Array[]>(answer.subarray());
  }, PATIENT);
}

test('peers tell each other of peers whom they reached, and never of who came to them', async () => {
  const reached = await node({});
  const middle = await node({ peerExchange: true, bootstrap: reached.addrs });
  await vi.waitFor(() => expect(middle.libp2p.getConnections(reached.peerId)).toHaveLength(1), PATIENT);
  const first = await node({ peerExchange: true, bootstrap: middle.addrs });
  await vi.waitFor(() => expect(first.libp2p.getConnections(reached.peerId)).toHaveLength(1), PATIENT);
  const told = await peersToldBy(middle, first);
  expect(told.map((bytes) => multiaddr(bytes).toString())).toEqual(reached.addrs);
  const closed = await provider({ config: { routing: { peerExchange: true, bootstrap: middle.addrs } } });
  await vi.waitFor(() => expect(closed.libp2p.getConnections(middle.peerId)).toHaveLength(1), PATIENT);
  const tellsAgain = await peersToldBy(middle, closed);
  expect(tellsAgain).toHaveLength(1);
  expect(reached.libp2p.getConnections(closed.peerId)).toEqual([]);
}, 60_000);

test('a DHT peer cannot make us dial into our own network, neither with a provider nor with a peer', async () => {
  const liar = await node({ dht: 'server' });
  const inside = await node({ dht: 'server', bootstrap: liar.addrs, provide: 'roots' });
  const cid = await has(inside, randomBytes(100));
  inside.provide(cid);
  await vi.waitFor(async () => expect(await providersIn(liar, cid)).toContain(inside.peerId.toString()), PATIENT);
  const ours = await provider({ config: { routing: { dht: 'client', bootstrap: liar.addrs } } });
  await vi.waitFor(async () => expect(await providersIn(ours, cid)).toContain(inside.peerId.toString()), PATIENT);
  const found = await ours.libp2p.peerRouting.findPeer(inside.peerId, { signal: AbortSignal.timeout(20_000) });
  expect(found.multiaddrs).toEqual([]);
  await expect(ours.libp2p.dial(inside.peerId, { signal: AbortSignal.timeout(20_000) })).rejects.toThrow();
  expect(inside.libp2p.getConnections(ours.peerId)).toEqual([]);
}, 60_000);

test('all of routing is off unless it is configured', async () => {
  const plain = await provider();
  expect(Object.keys(plain.libp2p.services).sort()).toEqual(['identify', 'ping']);
  expect(parseConfig({}, 'nothing').routing).toEqual({
    dht: 'off',
    delegated: [],
    bootstrap: [],
    mdns: false,
    peerExchange: false,
    provide: 'nothing',
    privateAddresses: false,
  });
});

test.each([
  [{ bootstrap: ['/ip4/1.2.3.4/tcp/4001'] }, 'must end in /p2p/PEER-ID'],
  [{ delegated: ['ftp://example.com'] }, 'is not a URL of http or https'],
  [{ provide: 'all' }, 'provide needs the DHT'],
])('a wrong setting is named: %o', (routing, message) => {
  expect(() => parseConfig({ routing }, 'workswap.toml')).toThrow(message);
});

/** Containers without multicast cannot run mDNS. */
async function hasMulticast(): Promise<boolean> {
  const group = '224.0.0.251';
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  const heard = Promise.withResolvers<boolean>();
  socket.on('message', () => heard.resolve(true)).on('error', () => heard.resolve(false));
  socket.bind(() => {
    try {
      socket.addMembership(group);
    } catch {
      heard.resolve(false);
    }
    socket.send('?', socket.address().port, group, () => setTimeout(() => heard.resolve(false), 1000).unref());
  });
  return heard.promise.finally(() => socket.close());
}

test.skipIf(!(await hasMulticast()))(
  'peers in one network find each other by mDNS, without keeping the private addresses that they name',
  async () => {
    const port = 20_000 + randomInt(20_000);
    const start = async (): Promise<Libp2p> => {
      const privateKey = await generateKeyPair('Ed25519');
      const { parts } = await prepareRouting(
        parseConfig({ routing: { mdns: true } }, 'test').routing,
        peerIdFromPrivateKey(privateKey),
        {
          mdnsPort: port,
        },
      );
      const limits = { connectionsMax: 10, connectionRatePerHostMax: 10, streamsPerConnectionMax: 32 };
      const host = await createNode({ privateKey, listen: [LISTEN], ...limits, parts });
      onTestFinished(() => host.stop());
      await host.start();
      return host;
    };
    const [one, other] = [await start(), await start()];
    await vi.waitFor(() => expect(one.getConnections(other.peerId).length).toBeGreaterThan(0), PATIENT);
    await vi.waitFor(
      async () => expect((await one.peerStore.get(other.peerId)).protocols).not.toHaveLength(0),
      PATIENT,
    );
    expect((await one.peerStore.get(other.peerId)).addresses).toEqual([]);
  },
  60_000,
);

test("a consumer's `workswap.toml` says whom it asks where content is", async () => {
  const middle = await provider({ config: { routing: { dht: 'server', privateAddresses: true } } });
  const routing = { dht: 'client', bootstrap: middle.addrs, privateAddresses: true } as const;
  const seeker = await consumer({ routing });
  await vi.waitFor(() => expect(middle.libp2p.getConnections(seeker.libp2p.peerId)).toHaveLength(1), PATIENT);
  expect(seeker.routing.router).toBeDefined();
  expect((await consumer()).routing.router).toBeUndefined();

  const home = await directory();
  await writeFile(join(home, 'workswap.toml'), '[routing]\ndht = "sometimes"\n');
  const { code, stderr } = await workswap(['quote', middle.addrs[0]!, 'missing.wasm', '--home', home]);
  expect(code).not.toBe(0);
  expect(stderr).toContain(join(home, 'workswap.toml'));
  expect(stderr).toContain('routing.dht');
}, 60_000);

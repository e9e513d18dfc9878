import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, test } from 'vitest';
import type { ContentRouter, Provider } from '../bitswap/index.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import { addressFilter } from './addresses.ts';
import { ROUTING_LIMITS } from './limits.ts';
import { Routers } from './routers.ts';

const CID = rawCid(new Uint8Array());
const filter = addressFilter({ privateAddresses: false });
const within = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(20_000) });

async function peer(...addrs: string[]): Promise<Provider> {
  return {
    id: peerIdFromPrivateKey(await generateKeyPair('Ed25519')),
    multiaddrs: addrs.map((text) => multiaddr(text)),
  };
}

const lists = (...providers: Provider[]): ContentRouter => ({
  async *findProviders() {
    yield* providers;
  },
});

const silent: ContentRouter = {
  // oxlint-disable-next-line require-yield
  async *findProviders(_cid, { signal }) {
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  },
};

const failing: ContentRouter = {
  // oxlint-disable-next-line require-yield
  async *findProviders() {
    throw new Error('down');
  },
};

async function all(...routers: ContentRouter[]): Promise<Provider[]> {
  const found: Provider[] = [];
  for await (const provider of new Routers(routers, filter, ROUTING_LIMITS).findProviders(CID, within())) {
    found.push(provider);
  }
  return found;
}

test('a router that is silent or fails delays nobody, and is told to stop when there is enough', async () => {
  const one = await peer('/ip4/1.2.3.4/tcp/1');
  const routers = new Routers([silent, failing, lists(one)], filter, ROUTING_LIMITS);
  for await (const provider of routers.findProviders(CID, within())) {
    expect(provider).toEqual(one);
    break;
  }
});

test('no router has more than its share of the providers that are tried', async () => {
  const strangers = await Promise.all(Array.from({ length: 50 }, () => peer('/ip4/1.2.3.4/tcp/1')));
  const one = await peer('/ip4/1.2.3.4/tcp/2');
  const found = await all(lists(...strangers), lists(one));
  expect(found).toHaveLength(ROUTING_LIMITS.providersMax / 2 + 1);
  expect(found).toContainEqual(one);
});

test('a provider is handed on once, and again only with an address that is new', async () => {
  const { id } = await peer();
  const [first, second] = [multiaddr('/ip4/1.2.3.4/tcp/1'), multiaddr('/ip4/1.2.3.4/tcp/2')];
  const found = await all(
    lists(
      { id },
      { id, multiaddrs: [first] },
      { id, multiaddrs: [first] },
      { id, multiaddrs: [first, second] },
      { id },
    ),
  );
  expect(found.map(({ multiaddrs = [] }) => multiaddrs.length)).toEqual([0, 1, 2]);
});

test('refused addresses are left out, and who has no other with them; who has none at all is looked up by id', async () => {
  const [inside, mixed, unknown] = [
    await peer('/ip4/10.0.0.1/tcp/1', '/dns4/localhost/tcp/1'),
    await peer('/ip4/10.0.0.1/tcp/1', '/ip4/1.2.3.4/tcp/1'),
    await peer(),
  ];
  const found = await all(lists(inside, mixed, unknown));
  expect(found).toEqual([{ id: mixed.id, multiaddrs: [multiaddr('/ip4/1.2.3.4/tcp/1')] }, unknown]);
});

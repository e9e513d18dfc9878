import { generateKeyPair } from '@libp2p/crypto/keys';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import type { Provider } from '../provider/provider.ts';
import { hostAt, makePublication, type ServicesEvent } from '../provider/services/index.ts';
import { sealHostOrder } from '../sdk/protocol/index.ts';
import { ask, decodeHostAnswer } from '../provider/services/net/index.ts';
import { consumer, directory, provider } from './fixtures.ts';
import { endpointOf, maintain, never, post, read } from './service-scene.ts';

const open = { services: { host: 'anyone' as const } };
const HOUR_MS = 3_600_000;

function visitorOf(...hosts: Provider[]): Promise<Consumer> {
  return consumer({ routing: { bootstrap: hosts.flatMap(({ addrs }) => addrs), privateAddresses: true } });
}

describe('a maintainer that takes a provider off the list', () => {
  it('ends the hosting there, by a signed order only; the state is kept, and goes on when it is put back', async () => {
    const dataDir = await directory();
    const [host, other] = [await provider({ config: open, dataDir }), await provider({ config: open })];
    const events: ServicesEvent[] = [];
    host.services.onEvent((event) => events.push(event));
    const maintainer = await consumer();
    const { key, handler, publication } = await maintain(maintainer, [host]);
    const { name } = publication;
    const visitor = await visitorOf(host);
    const { commit } = await post(visitor, name, 'kept');

    const moved = await makePublication(key, { handler, endpoints: [endpointOf(other)] }, 2);
    // Record and descriptor are public: without an order of the service's own key they end nothing.
    const order = await sealHostOrder(
      {
        descriptor: moved.sealed.cid,
        provider: host.peerId.toString(),
        maintainer: visitor.libp2p.peerId.toString(),
        expiresMs: Date.now() + HOUR_MS,
      },
      await generateKeyPair('Ed25519'),
    );
    const { record, descriptor } = moved;
    const question = { ask: 'host', record, descriptor, order } as const;
    const asked = ask(visitor.libp2p, host.peerId, question, decodeHostAnswer, { timeoutMs: 30_000, signal: never });
    await expect(asked).rejects.toThrow();
    expect(await read(visitor, name)).toMatch(/\nkept\n$/);

    expect(await hostAt(maintainer.libp2p, host.peerId, moved, key, { signal: never })).toBeUndefined();
    expect(host.services.list()).toEqual([]);
    expect(events.map(({ event }) => event)).toEqual(['hosted', 'unhosted']);
    await expect(host.runner.resolve(name, never)).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
    const client = await visitor.connect(host.addrs);
    const task = client.prepare(handler, { path: '/' }, {}, { service: name });
    await expect(client.run(task)).rejects.toMatchObject({ code: 'SERVICE_NOT_HOSTED' });

    await host.stop();
    const again = await provider({ config: open, dataDir });
    expect(again.services.list()).toEqual([]);
    const back = await makePublication(key, { handler, endpoints: [endpointOf(again)] }, 3);
    await maintainer.libp2p.dial(again.addrs.map((addr) => multiaddr(addr)));
    await hostAt(maintainer.libp2p, again.peerId, back, key, { signal: never });
    expect(again.services.get(name)?.commit?.equals(commit!)).toBe(true);
    expect(await read(await visitorOf(again), name)).toMatch(/\nkept\n$/);
  });
});

describe('a maintainer that sponsors its service', () => {
  it('pays for its visitors, and they owe nothing', async () => {
    const host = await provider({ config: open });
    const maintainer = await consumer();
    const { publication } = await maintain(maintainer, [host], { sponsor: 'maintainer' });
    const visitor = await visitorOf(host);
    const payer = maintainer.libp2p.peerId;
    const receipt = await post(visitor, publication.name, 'paid for');
    expect(receipt.sponsor).toBe(payer.toString());
    await read(visitor, publication.name);
    const prices = host.activity.recent().map(({ priceBytes }) => priceBytes);
    const owed = host.scoreLedger.getAccount(payer);
    expect([owed.workSent, owed.reserved]).toEqual([prices.reduce((a, b) => a + b), 0]);
    expect(owed.workSent).toBeGreaterThan(0);
    expect(host.scoreLedger.getAccount(visitor.libp2p.peerId).workSent).toBe(0);
    expect(visitor.scoreLedger.getAccount(host.peerId).workRecv).toBe(0);
  });

  it('pays for each visitor up to a limit; beyond it the visitor does', async () => {
    const config = { services: { host: 'anyone' as const, sponsoredBytesPerVisitorMax: 1024 } };
    const host = await provider({ config });
    const maintainer = await consumer();
    const { publication } = await maintain(maintainer, [host], { sponsor: 'maintainer' });
    const visitor = await visitorOf(host);
    const receipt = await post(visitor, publication.name, 'too dear');
    expect(receipt.sponsor).toBeUndefined();
    expect(host.scoreLedger.getAccount(maintainer.libp2p.peerId).workSent).toBe(0);
    expect(host.scoreLedger.getAccount(visitor.libp2p.peerId).workSent).toBe(receipt.priceBytes);
    expect(visitor.scoreLedger.getAccount(host.peerId).workRecv).toBe(receipt.priceBytes);
  });
});

describe('a service with two endpoints', () => {
  it('answers queries while one of them is there, whichever it is', async () => {
    const hosts = [await provider({ config: open }), await provider({ config: open })];
    const { publication } = await maintain(await consumer(), hosts);
    const visitor = await visitorOf(...hosts);
    await read(visitor, publication.name);
    const used = hosts.find(({ activity }) => activity.recent().length > 0)!;
    const left = hosts.find((host) => host !== used)!;
    await used.stop({ graceMs: 0 });
    expect(await read(visitor, publication.name)).toContain('for ');
    expect(left.activity.recent()).toHaveLength(1);
    await left.stop({ graceMs: 0 });
    await expect(read(visitor, publication.name)).rejects.toMatchObject({ code: 'NO_ENDPOINT', retryable: true });
  });
});

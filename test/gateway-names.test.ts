import { generateKeyPair } from '@libp2p/crypto/keys';
import { createIPNSRecord, marshalIPNSRecord } from 'ipns';
import { expect, it, onTestFinished } from 'vitest';
import { startGateway } from '../provider/gateway/index.ts';
import { serviceName } from '../sdk/protocol/index.ts';
import { provider } from './fixtures.ts';
import { addFiles, ask } from './gateway-scene.ts';
import { delegatedRouter, dnsServer } from './name-servers.ts';

/** Goal: whatever an IPNS record or a DNSLink may lead to is served under its name, and what leads nowhere says so. */

it('names lead to content, to a place in it and to other names', async () => {
  const { url, records } = await delegatedRouter();
  const publish = async (value: string): Promise<string> => {
    const key = await generateKeyPair('Ed25519');
    const name = serviceName(key.publicKey);
    await point(key, name, value);
    return name;
  };
  const point = async (key: Awaited<ReturnType<typeof generateKeyPair>>, name: string, value: string) => {
    records.set(name, Buffer.from(marshalIPNSRecord(await createIPNSRecord(key, value, 1n, 3_600_000))));
  };
  const zone: Record<string, string[]> = {};
  const dnslink = [await dnsServer(zone)];
  const host = await provider({ config: { services: { dnslink }, routing: { delegated: [url] } } });
  const gateway = await startGateway(host, { listen: '127.0.0.1:0' });
  onTestFinished(() => gateway.stop());
  const get = (path: string, name = `127.0.0.1:${gateway.port}`) => ask(gateway, path, { host: name });

  const root = await addFiles(host.blocks, {
    'docs/v 1%/index.html': 'the page',
    'docs/v 1%/sub/leaf.txt': 'a leaf',
    'docs/v 1%/_redirects': '/old /sub/leaf.txt 301\n',
  });
  const deep = await publish(`/ipfs/${root}/docs/v 1%`);
  const page = await get(`/ipns/${deep}/`);
  expect([page.status, page.text]).toEqual([200, 'the page']);
  expect(page.headers['x-ipfs-roots']!.toString().split(',')).toHaveLength(3);
  expect((await get(`/ipns/${deep}/sub/leaf.txt`)).text).toBe('a leaf');
  expect((await get(`/ipns/${deep}/sub/leaf.txt`)).headers['x-ipfs-path']).toBe(`/ipns/${deep}/sub/leaf.txt`);
  expect((await get(`/ipns/${deep}/sub`)).headers.location).toBe(`/ipns/${deep}/sub/`);
  expect((await get(`/ipns/${deep}/index.html`)).status).toBe(200);
  expect((await get(`/ipns/${deep}/docs`)).status).toBe(404);
  // The rules of the place that the name stands for.
  expect((await get('/old', `${deep}.ipns.localhost:${gateway.port}`)).headers.location).toBe('/sub/leaf.txt');

  zone['_dnslink.plain.example'] = ['v=spf1 -all', `dnslink=/ipfs/${root}/docs`];
  zone['_dnslink.named.example'] = [`dnslink=/ipns/${deep}/sub`];
  zone['_dnslink.again.example'] = ['dnslink=/ipns/named.example'];
  expect((await get('/ipns/plain.example/v%201%25/sub/leaf.txt')).text).toBe('a leaf');
  expect((await get('/ipns/plain.example/v%201%25/sub/leaf.txt')).headers['cache-control']).toBe('public, max-age=60');
  expect((await get('/ipns/again.example/leaf.txt')).text).toBe('a leaf');
  expect((await get('/leaf.txt', `again-example.ipns.localhost:${gateway.port}`)).text).toBe('a leaf');
  expect((await get('/ipns/plain.example?format=ipns-record')).status).toBe(400);

  zone['_dnslink.loop.example'] = ['dnslink=/ipns/pool.example'];
  zone['_dnslink.pool.example'] = ['dnslink=/ipns/loop.example'];
  zone['_dnslink.odd.example'] = ['dnslink=/ipfs/', 'dnslink=/ipld/bafy'];
  zone['_dnslink.up.example'] = [`dnslink=/ipfs/${root}/docs/../..`];
  zone['_dnslink.none.example'] = ['dnslink=/ipfs/none'];
  // Cut short, it would lead to the page above.
  zone['_dnslink.long.example'] = [`dnslink=/ipfs/${root}/docs/${'/'.repeat(1_000)}nowhere`];
  zone['_dnslink.lost.example'] = [`dnslink=/ipfs/${root}/nowhere`];
  for (const [name, status] of [
    ['loop.example', 502],
    ['odd.example', 502],
    ['up.example', 502],
    ['none.example', 502],
    ['lost.example', 404],
    ['long.example', 404],
    ['missing.example', 404],
  ] as const) {
    const reply = await get(`/ipns/${name}`);
    expect([reply.status, reply.text.length > 20], name).toEqual([status, true]);
  }
}, 60_000);

it('a gateway that asks no DNS says so', async () => {
  const host = await provider();
  const gateway = await startGateway(host, { listen: '127.0.0.1:0' });
  onTestFinished(() => gateway.stop());
  expect(await ask(gateway, '/ipns/plain.example')).toMatchObject({
    status: 501,
    text: expect.stringContaining('dnslink'),
  });
});

import { generateKeyPair } from '@libp2p/crypto/keys';
import { describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../provider/config.ts';
import type { Consumer } from '../provider/consumer.ts';
import type { Provider } from '../provider/provider.ts';
import { createRecord, makePublication } from '../provider/services/index.ts';
import { rawCid } from '../sdk/protocol/index.ts';
import { consumer, provider } from './fixtures.ts';
import { delegatedRouter, dnsServer, httpServer } from './name-servers.ts';
import { maintain, never, read } from './service-scene.ts';

/** Goal: a service is found by whoever knows nothing but its name. Real DHT nodes, HTTP and DNS servers, on loopback. */

const PATIENT = { timeout: 30_000, interval: 50 };
const HOUR_MS = 3_600_000;

const hosting = { host: 'anyone' as const };

describe('a name is found', () => {
  it('in the DHT, by a peer that knows neither provider nor maintainer', async () => {
    const routing = { dht: 'server' as const, privateAddresses: true };
    const middle = await provider({ config: { routing } });
    const host = await provider({ config: { services: hosting, routing: { ...routing, bootstrap: middle.addrs } } });
    const { publication } = await maintain(await consumer(), [host]);
    const visitor = await consumer({ routing: { ...routing, dht: 'client', bootstrap: middle.addrs } });
    await vi.waitFor(() => visitor.resolveName(publication.name, never), PATIENT);
    expect(await read(visitor, publication.name)).toContain('for ');
    await expect(middle.runner.resolve(publication.name, never)).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
  });

  it('at a router over HTTP, to which its provider gave it', async () => {
    const { url, records } = await delegatedRouter();
    const host = await provider({ config: { services: hosting, routing: { delegated: [url] } } });
    const { publication } = await maintain(await consumer(), [host]);
    await vi.waitFor(() => expect(records.get(publication.name)).toEqual(Buffer.from(publication.record)), PATIENT);
    // The descriptor itself comes from a peer.
    const visitor = await consumer({ routing: { delegated: [url], privateAddresses: true } });
    expect((await visitor.resolveName(publication.name, never)).sequence).toBe(1);
    await visitor.connect(host.addrs);
    expect(await read(visitor, publication.name)).toContain('for ');
  });

  it('by a domain name, where its TXT record leads to it', async () => {
    const host = await provider({ config: { services: hosting } });
    const { publication } = await maintain(await consumer(), [host]);
    const server = await dnsServer({
      '_dnslink.notes.example': ['v=spf1 -all', `dnslink=/ipns/${publication.name}`],
      '_dnslink.static.example': ['dnslink=/ipfs/bafyaabakaieac'],
      '_dnslink.forged.example': ['dnslink=/ipns/k51nothing'],
    });
    const visitor = await visitorOf(host, [server]);
    expect(await read(visitor, 'notes.example')).toContain('for ');
    for (const name of [
      'static.example',
      'forged.example',
      'missing.example',
      'a..example',
      `${'a.'.repeat(130)}example`,
    ]) {
      await expect(visitor.runner.resolve(name, never), name).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
    }
  });
});

describe('nothing is believed', () => {
  it('of a router over HTTP that answers with a record of another, forged or expired, too many bytes or a way elsewhere', async () => {
    const { url, records } = await delegatedRouter();
    const [key, other] = [await generateKeyPair('Ed25519'), await generateKeyPair('Ed25519')];
    const fields = { handler: rawCid(new Uint8Array([1])), endpoints: [] };
    const [first, second, foreign] = await Promise.all([
      makePublication(key, fields, 1),
      makePublication(key, fields, 2),
      makePublication(other, fields, 9),
    ]);
    const { name } = first;
    const asked = async (record: Uint8Array) => {
      records.set(name, Buffer.from(record));
      return (await consumer({ routing: { delegated: [url] } })).resolveName(name, never);
    };
    expect((await asked(second.record)).sequence).toBe(2);
    await expect(asked(foreign.record)).rejects.toMatchObject({ code: 'RECORD_REFUSED' });
    await expect(asked(first.record.map((byte, i) => (i === 40 ? byte ^ 1 : byte)))).rejects.toMatchObject({
      code: 'RECORD_REFUSED',
    });
    const expired = await createRecord(key, {
      descriptor: first.sealed.cid,
      sequence: 3,
      expiresMs: Date.now() - HOUR_MS,
    });
    await expect(asked(expired)).rejects.toMatchObject({ reason: 'expired' });
    const flood = await asked(new Uint8Array(1_000_000)).catch((error: unknown) => error);
    expect((flood as { cause: unknown }).cause).toMatchObject({ message: expect.stringContaining('more than') });
    const leading = await httpServer((_, response) => response.writeHead(302, { location: url }).end());
    const led = await consumer({ routing: { delegated: [leading] } });
    await expect(led.resolveName(name, never)).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
  });

  it('of a domain name that leads nowhere more than once: neither many requests nor other spellings ask again', async () => {
    let queries = 0;
    const zone: Record<string, string[]> = { '_dnslink.good.example': ['dnslink=/ipfs/bafyaabakaieac'] };
    const server = await dnsServer(zone, { onQuery: () => queries++ });
    const { dnslink } = await consumer({ dnslink: [server] });
    const asked = async (name: string) => dnslink!.values(name).catch(({ code }: { code: string }) => code);
    const spellings = ['bad.example', 'BAD.example', 'Bad.Example'];
    const all = await Promise.all([...spellings, ...spellings].map(asked));
    expect([...all, await asked('bad.example')]).toEqual(Array.from({ length: 7 }, () => 'SERVICE_NOT_FOUND'));
    expect(queries).toBe(1);
    // Names that nobody has put nothing out that is known.
    expect(await asked('good.example')).toEqual(['/ipfs/bafyaabakaieac']);
    zone['_dnslink.good.example'] = [];
    for (let i = 0; i < 1_100; i++) await asked(`n${i}.example`);
    expect(await asked('good.example')).toEqual(['/ipfs/bafyaabakaieac']);
    expect(queries).toBe(1_102);
  });

  it('of a DNS server that sends garbage; and a server that is none is refused in the settings', async () => {
    const host = await provider();
    for (const garbage of [
      Buffer.alloc(0),
      Buffer.alloc(500, 0xff),
      Buffer.from('8180000100ff00000000c00cc00c', 'hex'),
    ]) {
      const visitor = await visitorOf(host, [await dnsServer({}, { garbage })]);
      await expect(visitor.runner.resolve('notes.example', never)).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
    }
    for (const server of ['dns.example', '127.0.0.1:port', '']) {
      expect(() => parseConfig({ services: { dnslink: [server] } }, 'test'), server).toThrow(/IP address/);
    }
  });
});

function visitorOf(host: Provider, dnslink: string[]): Promise<Consumer> {
  return consumer({ routing: { bootstrap: host.addrs, privateAddresses: true }, dnslink });
}

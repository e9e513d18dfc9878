import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Libp2p, PrivateKey } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeAnswer, readFrame, sendFrame } from '../provider/net/index.ts';
import { createNode } from '../provider/node/index.ts';
import { createRecord, hostAt, makePublication, RecordError } from '../provider/services/index.ts';
import { encodeQuestion, SERVICES_EXCHANGE } from '../provider/services/net/index.ts';
import { rawCid, sealAcceptance, sealDescriptor, sealHostOrder, sealRollback } from '../sdk/protocol/index.ts';
import { consumer, LISTEN, offer, provider } from './fixtures.ts';
import { endpointOf, maintain, never, notesHandler, post, read } from './service-scene.ts';

const open = { services: { host: 'anyone' as const } };
const HOUR_MS = 3_600_000;

describe('a provider refuses to host, with the reason', () => {
  it('what is expired, of another key, older than what it has, or rivals it', async () => {
    const host = await provider({ config: open });
    const maintainer = await consumer();
    const { key, handler, publication } = await maintain(maintainer, [host], { sequence: 5 });
    const other = await generateKeyPair('Ed25519');
    const fields = { handler, endpoints: [endpointOf(host)] };
    const refused = async (pair: { record: Uint8Array; descriptor: Uint8Array }): Promise<unknown> =>
      host.services.host(pair).catch((error: unknown) => error);
    const expired = await makePublication(key, { ...fields, expiresMs: Date.now() - HOUR_MS }, 9);
    expect(await refused(expired)).toMatchObject({ reason: 'expired' });
    const older = await makePublication(key, fields, 4);
    expect(await refused(older)).toMatchObject({ reason: 'lower sequence' });
    const rival = await makePublication(key, { ...fields, handler: rawCid(new Uint8Array([1])) }, 5);
    expect(await refused(rival)).toBeInstanceOf(RecordError);
    const { descriptor } = await makePublication(key, fields, 6);
    const foreign = await createRecord(other, {
      descriptor: publication.sealed.cid,
      sequence: 7,
      expiresMs: Date.now() + HOUR_MS,
    });
    expect(await refused({ record: foreign, descriptor })).toMatchObject({ code: 'RECORD_REFUSED' });
    expect(await refused({ record: publication.record, descriptor })).toMatchObject({ reason: 'no descriptor' });
    expect(await refused({ record: new Uint8Array(20_000), descriptor })).toMatchObject({ reason: 'malformed' });
    expect(await refused({ record: publication.record, descriptor: descriptor.subarray(1) })).toMatchObject({
      code: 'DOCUMENT_INVALID',
    });
    expect(host.services.list().map(({ sealed }) => sealed.descriptor.sequence)).toEqual([5]);
  });

  it('strangers, unless it is told to host for anyone; and whoever repeats the order of another', async () => {
    const closed = await provider();
    const stranger = await consumer();
    await expect(maintain(stranger, [closed])).rejects.toMatchObject({ code: 'HOSTING_REFUSED' });
    const host = await provider({ config: open });
    const { key, publication } = await maintain(stranger, [host]);
    const order = await sealHostOrder(
      {
        descriptor: publication.sealed.cid,
        provider: host.peerId.toString(),
        maintainer: stranger.libp2p.peerId.toString(),
        expiresMs: Date.now() + HOUR_MS,
      },
      key,
    );
    const thief = await consumer();
    const answer = await askRaw(thief.libp2p, host.libp2p, {
      ask: 'host',
      record: publication.record,
      descriptor: publication.descriptor,
      order,
    });
    expect(answer).toContain('it was given to');
    expect(host.services.get(publication.name)?.maintainer).toBe(stranger.libp2p.peerId.toString());
  });

  it('a flood of services and of requests, and goes on for others', async () => {
    const host = await provider({ config: { services: { host: 'anyone', servicesMax: 2 } } });
    const flooder = await consumer();
    await maintain(flooder, [host]);
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => maintain(flooder, [host])));
    const codes = attempts.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []));
    expect(codes.length).toBeGreaterThanOrEqual(18);
    expect(new Set(codes)).not.toContain('INTERNAL');
    expect(host.services.list().length).toBeLessThanOrEqual(2);
    const visitor = await consumer({ routing: { bootstrap: host.addrs, privateAddresses: true } });
    expect(await read(visitor, host.services.list()[0]!.name)).toContain('for ');
  });

  it('a site that is too large and a handler that is none, and keeps what it had', async () => {
    const host = await provider({ config: { services: { host: 'anyone', siteBytesMax: 1000 } } });
    const maintainer = await consumer();
    const { key, handler, publication } = await maintain(maintainer, [host]);
    const site = await offer(maintainer, new Uint8Array(2000));
    const endpoints = [endpointOf(host)];
    const ask = async (fields: { handler: typeof handler; site?: typeof handler }) =>
      hostAt(maintainer.libp2p, host.peerId, await makePublication(key, { ...fields, endpoints }, 2), key, {
        signal: never,
      });
    await expect(ask({ handler, site })).rejects.toMatchObject({ code: 'CONTENT_TOO_LARGE' });
    const broken = await offer(maintainer, new TextEncoder().encode('no module'));
    await expect(ask({ handler: broken })).rejects.toMatchObject({ code: 'NOT_WASM' });
    expect(host.services.get(publication.name)?.sealed.descriptor.sequence).toBe(1);
  });
});

describe('a rollback', () => {
  it('is done once, by the service key only', async () => {
    const host = await provider({ config: open });
    const { key, publication } = await maintain(await consumer(), [host]);
    const { name } = publication;
    const visitor = await consumer({ routing: { bootstrap: host.addrs, privateAddresses: true } });
    const first = (await post(visitor, name, 'one')).commit!;
    const second = (await post(visitor, name, 'two')).commit!;
    const order = await sealRollback({ from: second, to: first }, key);
    const forged = await sealRollback({ from: second, to: first }, await generateKeyPair('Ed25519'));
    await expect(host.services.rollback(forged)).rejects.toMatchObject({ code: 'SERVICE_NOT_HOSTED' });
    await host.services.rollback(order);
    expect(await read(visitor, name)).toMatch(/\none\n$/);
    await expect(host.services.rollback(order)).rejects.toMatchObject({ code: 'ROLLBACK_STALE' });
    const unknown = await sealRollback({ from: host.services.get(name)!.commit!, to: rawCid(new Uint8Array()) }, key);
    await expect(host.services.rollback(unknown)).rejects.toMatchObject({ code: 'UNKNOWN_COMMIT' });
  });
});

describe('a consumer does not use', () => {
  it('an endpoint that shows no acceptance, a forged one, one of another service, or an expired one', async () => {
    const maintainer = await consumer();
    const handler = await offer(maintainer, await notesHandler());
    const key = await generateKeyPair('Ed25519');
    const posing = await generateKeyPair('Ed25519');
    const forger = await generateKeyPair('Ed25519');
    const libp2p = await node(posing);
    const endpoint = { peer: libp2p.peerId.toString(), addrs: libp2p.getMultiaddrs().map(String) };
    const publication = await makePublication(key, { handler, endpoints: [endpoint] }, 1);
    const honest = {
      service: publication.name,
      descriptor: publication.sealed.cid,
      tariff: handler,
      expiresMs: Date.now() + HOUR_MS,
    };
    const other = await makePublication(forger, { handler, endpoints: [endpoint] }, 1);
    const shown: [Uint8Array | undefined, string][] = [
      [undefined, 'SERVICE_NOT_HOSTED'],
      [await sealAcceptance(honest, forger), 'BAD_ANSWER'],
      [await sealAcceptance({ ...honest, service: other.name }, posing), 'BAD_ANSWER'],
      [await sealAcceptance({ ...honest, expiresMs: Date.now() - 1 }, posing), 'BAD_ANSWER'],
      [await sealAcceptance({ ...honest, descriptor: other.sealed.cid }, posing), 'SERVICE_CHANGED'],
    ];
    let acceptance: Uint8Array | undefined;
    await libp2p.handle(SERVICES_EXCHANGE.name, (stream) => {
      void readFrame(stream, 10_000, never).then(() => {
        const { record, descriptor } = publication;
        sendFrame(stream, encodeAnswer({ record, descriptor, ...(acceptance === undefined ? {} : { acceptance }) }));
      });
    });
    for (const [document, code] of shown) {
      acceptance = document;
      const visitor = await consumer({ routing: { bootstrap: endpoint.addrs, privateAddresses: true } });
      const service = await visitor.runner.resolve(publication.name, never);
      await expect(visitor.runner.run(service, { path: '/' }, never), code).rejects.toMatchObject({ code });
    }
  });

  it('a record that is older than one that it has seen, also after a restart of whoever tells it', async () => {
    const maintainer = await consumer();
    const handler = await offer(maintainer, await notesHandler());
    const key = await generateKeyPair('Ed25519');
    const libp2p = await node(await generateKeyPair('Ed25519'));
    const newer = await makePublication(key, { handler, endpoints: [] }, 2);
    const older = await makePublication(key, { handler, endpoints: [] }, 1);
    const answers = [newer, older];
    await libp2p.handle(SERVICES_EXCHANGE.name, (stream) => {
      void readFrame(stream, 10_000, never).then(() => sendFrame(stream, encodeAnswer(answers.shift() ?? older)));
    });
    const visitor = await consumer({
      routing: { bootstrap: libp2p.getMultiaddrs().map(String), privateAddresses: true },
    });
    expect((await visitor.resolveName(newer.name, never)).sequence).toBe(2);
    expect((await visitor.resolveName(newer.name, never)).sequence).toBe(2);
    const expired = await sealDescriptor(
      {
        handler,
        endpoints: [],
        policy: { query: 'open', update: 'open', sponsor: 'caller' },
        sequence: 3,
        expiresMs: 1,
      },
      key,
    );
    const record = await createRecord(key, { descriptor: expired.cid, sequence: 3, expiresMs: Date.now() + HOUR_MS });
    answers.unshift({ ...newer, record, descriptor: expired.bytes });
    const fresh = await consumer({
      routing: { bootstrap: libp2p.getMultiaddrs().map(String), privateAddresses: true },
    });
    await expect(fresh.runner.resolve(newer.name, never)).rejects.toMatchObject({ code: 'SERVICE_EXPIRED' });
  });
});

async function node(privateKey: PrivateKey): Promise<Libp2p> {
  const limits = { connectionsMax: 100, connectionRatePerHostMax: 100, streamsPerConnectionMax: 100 };
  const libp2p = await createNode({ privateKey, listen: [LISTEN], ...limits });
  await libp2p.start();
  onTestFinished(() => libp2p.stop());
  return libp2p;
}

/** One question, and its answer as text. */
async function askRaw(from: Libp2p, to: Libp2p, question: Parameters<typeof encodeQuestion>[0]): Promise<string> {
  await from.dial(to.getMultiaddrs().map((addr) => multiaddr(addr.toString())));
  const stream = await from.dialProtocol(to.peerId, SERVICES_EXCHANGE.name);
  const answer = readFrame(stream, 100_000, never);
  sendFrame(stream, encodeQuestion(question));
  return Buffer.from(await answer).toString('latin1');
}

import { readFile, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { expect, onTestFinished, test } from 'vitest';
import { consumer, directory, handler, offer, provider } from '../../test/fixtures.ts';
import { mailboxProvider, recipient, sender } from '../../test/mailbox-scene.ts';
import { maintain } from '../../test/service-scene.ts';
import type { Provider } from '../provider.ts';
import { startGateway } from '../gateway/index.ts';
import { startAdmin, type Admin, type AdminInit } from './index.ts';

/** Goal: the operator sees and steers the running node, and nobody else does. Method: a real provider, real HTTP. */

async function open(host: Provider, init: Pick<AdminInit, 'dataDir' | 'gateway'> = {}): Promise<Admin> {
  const admin = await startAdmin({ provider: host, listen: '127.0.0.1:0', ...init });
  onTestFinished(() => admin.stop());
  return admin;
}

const as = (admin: Admin) => ({ authorization: `Bearer ${admin.token}` });
const figuresOf = async (admin: Admin) => (await fetch(`${admin.origin}/api/figures`, { headers: as(admin) })).json();
const post = (admin: Admin, path: string, body: unknown) =>
  fetch(admin.origin + path, {
    method: 'POST',
    headers: { ...as(admin), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** With a header that fetch would not let us send. */
function statusWithHost(url: string, host: string, headers = {}): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sent = request(url, { headers: { ...headers, host } }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  sent.on('error', reject).end();
  return promise;
}

test('figures are those of the running node: jobs, handlers, errors, accounts', async () => {
  const host = await provider();
  const admin = await open(host);
  const caller = await consumer();
  const client = await caller.connect(host.addrs);
  const hello = await offer(caller, await handler('hello'));
  await (
    await client.call(hello, { path: '/?name=Ada' })
  ).receipt;
  await expect(client.call(hello, {}, { priceMaxBytes: 1 })).rejects.toThrow(/costs at least/);
  const figures = await figuresOf(admin);
  expect(figures).toMatchObject({ peerId: host.peerId.toString(), jobs: { finished: 1, refused: 1 } });
  expect(figures.handlers).toMatchObject([{ handler: hello.toString(), jobs: 2, failed: 1 }]);
  expect(figures.failures).toMatchObject([{ code: 'PRICE_EXCEEDED', fault: 'consumer', count: 1 }]);
  expect(figures.recent).toHaveLength(2);
  const metrics = await (await fetch(`${admin.origin}/metrics`)).text();
  expect(metrics).toMatch(/workswap_jobs_total\{end="ok"\} 1/);
  expect(metrics).toMatch(/workswap_jobs_total\{end="consumer"\} 1/);
  expect(metrics).not.toContain(caller.libp2p.peerId.toString());
});

test('services are shown with state roots, commits and history, the gateway with its visitors', async () => {
  const maintainer = await consumer();
  const host = await provider({ maintainers: [maintainer.libp2p.peerId.toString()] });
  expect(await figuresOf(await open(host))).toMatchObject({ hosted: 0, services: [], gateway: null });
  const gateway = await startGateway(host, { listen: '127.0.0.1:0' });
  onTestFinished(() => gateway.stop());
  const admin = await open(host, { gateway });
  const { publication, handler: notes } = await maintain(maintainer, [host]);
  const site = `${gateway.url}/workswap/${publication.name}/`;
  const roots = [];
  for (const body of ['one', 'two']) {
    expect((await fetch(site, { method: 'POST', body })).status).toBe(200);
    roots.unshift(host.services.get(publication.name)!.root.toString());
    expect((await figuresOf(admin)).services[0].history.map(({ root }: { root: string }) => root)).toEqual(roots);
  }
  await fetch(`${gateway.url}/nothing`);
  const figures = await figuresOf(admin);
  expect(figures.services).toMatchObject([
    { service: publication.name, handler: notes.toString(), root: roots[0], commits: 2, sponsor: 'caller' },
  ]);
  expect(figures.services[0].history).toMatchObject([{ updates: 1 }, { updates: 1 }]);
  expect(figures.gateway).toMatchObject({ requestsAnswered: 3, visitors: 1, refused: { NOT_FOUND: 1 } });
  expect(figures.handlers).toMatchObject([{ handler: notes.toString(), jobs: 2 }]);
});

test('mailboxes are shown with what waits, counted for Prometheus, and closed', async () => {
  const host = await mailboxProvider();
  const admin = await open(host);
  const bob = await recipient([host]);
  const ada = await sender(host);
  for (let i = 0; i < 2; i++) await ada.client.send(bob.peer, Buffer.from('secret'));
  const peer = bob.peer.toString();
  // Read again after every change by the operator.
  expect((await post(admin, '/api/peer', { peer, override: null })).status).toBe(200);
  expect(await figuresOf(admin)).toMatchObject({
    mailboxes: [{ peer, payer: 'sender', messages: 2, bytes: 524, connected: true, oldestMs: expect.any(Number) }],
    mailboxTotals: { mailboxes: 1, messages: 2, bytes: 524, files: 0 },
  });
  const metrics = async () => (await fetch(`${admin.origin}/metrics`)).text();
  expect(await metrics()).toMatch(/workswap_mailbox_bytes 524/);
  expect(await metrics()).toMatch(/workswap_mailbox_messages_total\{what="stored"\} 2/);
  expect(await metrics()).not.toContain(peer);
  expect((await fetch(`${admin.origin}/api/mailbox/close`, { method: 'POST', body: '{}' })).status).toBe(401);
  expect((await post(admin, '/api/mailbox/close', { peer: 'nobody' })).status).toBe(409);
  const closed = await post(admin, '/api/mailbox/close', { peer });
  expect([closed.status, await closed.json()]).toEqual([200, { peer, messages: 2, priceBytes: 0 }]);
  expect(await figuresOf(admin)).toMatchObject({ mailboxes: [], mailboxTotals: { mailboxes: 0 } });
  const twice = await post(admin, '/api/mailbox/close', { peer });
  expect([twice.status, (await twice.json()).error.code]).toEqual([409, 'MAILBOX_UNKNOWN']);
  expect(await metrics()).toMatch(/workswap_mailbox_messages_total\{what="closed"\} 2/);
});

test('nothing is told or done without the token, which the address carries once into a cookie', async () => {
  const admin = await open(await provider());
  for (const path of ['/', '/admin.js', '/api/figures', '/api/events', '/api/ledger.csv', '/?token=guess']) {
    expect((await fetch(admin.origin + path)).status, path).toBe(401);
  }
  expect((await fetch(`${admin.origin}/api/tariff`, { method: 'POST', body: '{}' })).status).toBe(401);
  const first = await fetch(admin.url, { redirect: 'manual' });
  expect([first.status, first.headers.get('location')]).toEqual([303, '/']);
  const cookie = first.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Strict/);
  const page = await fetch(`${admin.origin}/`, { headers: { cookie: cookie.split(';')[0]! } });
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('Workswap');
  expect((await fetch(`${admin.origin}/healthz`)).status).toBe(200);
  expect((await fetch(`${admin.origin}/readyz`)).status).toBe(200);
});

test('other sites reach nothing: neither by a name that leads here nor by a form', async () => {
  const admin = await open(await provider());
  expect(await statusWithHost(`${admin.origin}/api/figures`, 'evil.example', as(admin))).toBe(421);
  for (const host of ['evil.example', 'localhost.evil.example', 'a.localhost', '10.1.2.3', '0.0.0.0']) {
    expect(await statusWithHost(`${admin.origin}/metrics`, host), host).toBe(421);
  }
  expect(await statusWithHost(`${admin.origin}/api/figures`, 'localhost:1', as(admin))).toBe(200);
  const form = await fetch(`${admin.origin}/api/peer`, {
    method: 'POST',
    headers: { ...as(admin), 'content-type': 'text/plain' },
    body: '{"peer":"x","override":"blocked"}',
  });
  expect(form.status).toBe(415);
  expect((await fetch(`${admin.origin}/../../etc/passwd`, { headers: as(admin) })).status).toBe(404);
});

test('a peer is blocked, limited and let go, the tariff is changed, and both hold after a restart', async () => {
  const dataDir = await directory();
  const host = await provider({ dataDir });
  const admin = await open(host, { dataDir });
  const key = await generateKeyPair('Ed25519');
  const peer = peerIdFromPrivateKey(key);
  expect((await post(admin, '/api/peer', { peer: peer.toString(), override: { limitBytes: 12_345 } })).status).toBe(
    200,
  );
  expect(host.scoreLedger.getAccount(peer).limit).toBe(12_345);
  expect((await post(admin, '/api/peer', { peer: peer.toString(), override: 'blocked' })).status).toBe(200);
  const rates = { ...host.tariff.rates, job: 77 };
  expect(await (await post(admin, '/api/tariff', rates)).json()).toMatchObject({ rates: { job: 77 } });
  expect((await figuresOf(admin)).tariff).toMatchObject({ rates, changedHere: true });
  await host.stop();

  const again = await provider({ dataDir });
  expect(again.tariff.rates.job).toBe(77);
  const blocked = await consumer({ privateKey: key });
  const client = await blocked.connect(again.addrs);
  const hello = await offer(blocked, await handler('hello'));
  await expect(client.call(hello)).rejects.toMatchObject({ code: 'OVER_CREDIT' });
  const next = await open(again, { dataDir });
  expect(next.token).toBe(admin.token);
  expect((await stat(join(dataDir, 'admin-token'))).mode & 0o777).toBe(0o600);
  expect((await readFile(join(dataDir, 'settings.json'), 'utf8')).length).toBeLessThan(2000);
  expect((await post(next, '/api/peer', { peer: peer.toString(), override: null })).status).toBe(200);
  await (
    await client.call(hello)
  ).receipt;
});

test('bad actions are refused with the reason and change nothing', async () => {
  const host = await provider();
  const admin = await open(host);
  for (const [path, body, says] of [
    ['/api/peer', { peer: 'nobody', override: 'blocked' }, /not a peer id/],
    ['/api/peer', { peer: host.peerId.toString(), override: { limitBytes: -1 } }, /override/],
    ['/api/peer', { peer: host.peerId.toString(), override: 'friend' }, /override/],
    ['/api/tariff', { job: 1 }, /compile/],
    ['/api/tariff', { ...host.tariff.rates, job: 1.5 }, /job/],
    ['/api/tariff', { ...host.tariff.rates, job: 1e15 }, /job|rate/i],
    ['/api/pin', { cid: 'not a cid' }, /not a CID/],
  ] as const) {
    const answer = await post(admin, path, body);
    expect(answer.status, JSON.stringify(body)).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect((await answer.json()).error.message).toMatch(says);
  }
  const large = await post(admin, '/api/pin', { cid: 'x'.repeat(100_000) });
  expect(large.status).toBe(413);
  expect(host.settings.overrides).toEqual({});
  await expect(startAdmin({ provider: host, listen: 'nowhere' })).rejects.toMatchObject({ code: 'CANNOT_LISTEN' });
  await expect(startAdmin({ provider: host, listen: admin.origin.slice(7) })).rejects.toThrow(/--admin/);
});

test('the page hears of every change as it happens, and a stop ends all pages', async () => {
  const host = await provider();
  const admin = await startAdmin({ provider: host, listen: '127.0.0.1:0' });
  const response = await fetch(`${admin.origin}/api/events`, { headers: as(admin) });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('event: figures')) text += (await reader.read()).value ?? '';
  expect(text).toContain('event: samples');
  expect(text).toContain(host.peerId.toString());
  await admin.stop();
  await expect(
    (async () => {
      while (!(await reader.read()).done);
      throw new Error('ended');
    })(),
  ).rejects.toThrow();
});

import { connect } from 'node:net';
import * as dagCbor from '@ipld/dag-cbor';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startGateway, type GatewayConfig } from '../provider/gateway/index.ts';
import { consumer } from './fixtures.ts';
import { ask, gatewayScene, sendRaw, type Scene } from './gateway-scene.ts';

/** Goal: every limit of the gateway is said with the status and the figures that it has. Method: a real provider with a service. */

async function scene(config: Partial<GatewayConfig> = {}): Promise<Scene> {
  const made = await gatewayScene(config);
  onTestFinished(() => made.stop());
  return made;
}

const JSON_WANTED = { accept: 'application/json' };

test('402 tells a visitor how much is used, how much there is, and when to come again', async () => {
  const { gateway, host } = await scene({
    visitorLineBytes: 40_000,
    visitorRefreshBytesPerSecond: 1,
    visitorPoolRefreshBytesPerSecond: 0,
  });
  const replies = [];
  while (replies.length < 50 && replies.at(-1)?.status !== 402) {
    replies.push(await ask(gateway, `/x?n=${replies.length}`, { host, headers: JSON_WANTED }));
  }
  const refused = replies.find(({ status }) => status !== 200)!;
  expect(replies[0]!.status).toBe(200);
  expect(refused.status).toBe(402);
  const { error } = JSON.parse(refused.text);
  expect(error).toMatchObject({ code: 'OVER_CREDIT', limit: 40_000, retryable: true });
  expect(error.balance + error.requestedBytes).toBeGreaterThan(40_000);
  expect(error.balance).toBeLessThanOrEqual(40_000);
  expect(Number(refused.headers['retry-after'])).toBe(Math.ceil(error.waitMs / 1000));
  const page = await ask(gateway, '/x', { host, headers: { accept: 'text/html' } });
  expect(page.text).toContain('<dt>limit</dt><dd>40000</dd>');
  // Files of the site cost no work, and the refusals are counted.
  expect((await ask(gateway, '/about.html', { host })).status).toBe(200);
  expect(gateway.stats().refused['OVER_CREDIT']).toBeGreaterThan(0);
  expect(gateway.stats().visitorsOwedBytes).toBeGreaterThan(0);
});

test('402 also when all visitors together have used up their pool, whoever asks', async () => {
  const { gateway, host } = await scene({ visitorPoolBytes: 1000, trustProxy: true });
  const headers = { ...JSON_WANTED, 'x-forwarded-for': '192.0.2.7' };
  const refused = await ask(gateway, '/x', { host, headers });
  expect(refused.status).toBe(402);
  // What can never fit has no time to come again.
  expect(refused.headers['retry-after']).toBeUndefined();
  expect(JSON.parse(refused.text).error).toMatchObject({ limit: 1000 });
});

test('413 for bodies that are too large, whether they say so or not, and the connection goes on', async () => {
  const { gateway, host } = await scene({ bodyBytesMax: 1000 });
  expect((await ask(gateway, '/x', { host, method: 'POST', body: 'a'.repeat(1000) })).status).toBe(200);
  const declared = await ask(gateway, '/x', { host, method: 'POST', body: 'a'.repeat(1001) });
  expect([declared.status, declared.text.includes('1000 bytes')]).toEqual([413, true]);
  const headers = { 'transfer-encoding': 'chunked' };
  const body = 'a'.repeat(5_000_000);
  expect((await ask(gateway, '/x', { host, method: 'POST', body, headers })).status).toBe(413);
  const post = `POST /x HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000\r\n\r\n${'a'.repeat(100_000)}`;
  const next = `GET /about.html HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  const answer = await sendRaw(gateway, post + next);
  expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['413', '200']);
});

test('429 with Retry-After for too many requests, for each address by itself', async () => {
  const { gateway } = await scene({ requestsPerSecond: 0.001, requestsBurst: 3, trustProxy: true });
  const from = (address: string) => ask(gateway, '/', { headers: { ...JSON_WANTED, 'x-forwarded-for': address } });
  const replies = [];
  for (let i = 0; i < 20; i++) replies.push(await from('192.0.2.1'));
  const refused = replies.find(({ status }) => status === 429)!;
  expect(replies[0]!.status).toBe(200);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(JSON.parse(refused.text).error).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryable: true });
  expect((await from('192.0.2.2')).status).toBe(200);
  // A list that the client began does not make it another.
  expect((await from('192.0.2.9, 192.0.2.1')).status).toBe(429);
  // One household has all addresses of its /64.
  for (let i = 0; i < 20; i++) replies.push(await from(`2001:db8::${i}`));
  expect(replies.at(-1)!.status).toBe(429);
});

test('429 for too many at once from one address, 503 for too many of all', async () => {
  for (const [config, status] of [
    [{ requestsPerClientMax: 1 }, 429],
    [{ requestsMax: 1 }, 503],
  ] as const) {
    const { gateway, host } = await scene({ ...config, serviceTimeoutMs: 60_000 });
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    // A body that does not come keeps a request under way for as long as the test wants.
    socket.write(`POST /x HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\n\r\n`);
    await vi.waitFor(() => expect(gateway.stats().requestsUnderWay).toBe(1), 20_000);
    const refused = await ask(gateway, '/x', { host });
    expect([refused.status, refused.headers['retry-after']]).toEqual([status, '1']);
    socket.destroy();
    await vi.waitFor(() => expect(gateway.stats().requestsUnderWay).toBe(0), 20_000);
    expect((await ask(gateway, '/x', { host })).status).toBe(200);
  }
});

test('504 for a service that does not answer in time, and its work is stopped and counted', async () => {
  const { gateway, host } = await scene({ serviceTimeoutMs: 100, visitorPoolRefreshBytesPerSecond: 0 });
  const reply = await ask(gateway, '/spin', { host, headers: JSON_WANTED });
  expect(reply.status).toBe(504);
  expect(JSON.parse(reply.text).error).toMatchObject({ code: 'SERVICE_TIMEOUT', retryable: true });
  expect(gateway.stats().visitorsOwedBytes).toBeGreaterThan(0);
  expect((await ask(gateway, '/about.html', { host })).status).toBe(200);
});

test('a gateway without a provider: 200 while the endpoint is there, an honest 5xx when it is gone', async () => {
  const { provider, name } = await scene();
  const visitor = await consumer();
  await visitor.connect(provider.addrs);
  const gateway = await startGateway(visitor, { listen: '127.0.0.1:0', serviceTimeoutMs: 5000, blockTimeoutMs: 500 });
  onTestFinished(() => gateway.stop());
  const at = (path: string) => ask(gateway, path, { host: `${name}.localhost:${gateway.port}`, headers: JSON_WANTED });
  expect(JSON.parse((await at('/x')).text)).toMatchObject({ path: '/x' });
  expect((await at('/about.html')).text).toContain('static');
  await provider.stop();
  const gone = await at('/y');
  expect([502, 503, 504]).toContain(gone.status);
  expect(JSON.parse(gone.text).error.retryable).toBe(true);
  // What was fetched is here.
  expect((await at('/about.html')).status).toBe(200);
});

/** What a handler answers that writes this head itself. */
async function answerWith({ gateway, host }: Scene, headers: Record<string, string>, status = 200, path = '/raw') {
  return ask(gateway, path, { host, method: 'POST', body: dagCbor.encode({ headers, status }) });
}

test('what a handler puts into headers starts neither a header nor an answer', async () => {
  const made = await scene();
  for (const headers of [
    { 'x-a': 'one\r\nset-cookie: two=2' },
    { 'x-a': 'one\nset-cookie: two=2' },
    { 'x-a': 'one\rset-cookie: two=2' },
    { 'x-a': 'one\r\n\r\nHTTP/1.1 200 OK' },
    { 'x-a': 'nul\0' },
    { 'x-a': 'wide \u{10a}' },
    { 'x-a\r\nset-cookie: two=2': 'x' },
    { 'x a': 'x' },
    { 'x:a': 'x' },
    { '': 'x' },
    { 'set-cookie': 'a=1\r\nx: y' },
    { 'set-cookie': 'a=1\0' },
    { location: '/\r\n\r\n<script>' },
  ]) {
    const reply = await answerWith(made, headers);
    expect([reply.status, reply.text.trim()]).toEqual([500, 'The service failed']);
    expect(reply.headers['set-cookie']).toBeUndefined();
  }
  for (const status of [0, 99, 100, 101, 199, 600, 1000]) {
    expect((await answerWith(made, {}, status)).status).toBe(500);
  }
  expect(made.errors).toEqual([]);
});

test('a handler speaks for itself only: not about the connection, the gateway, the host or its neighbours', async () => {
  const made = await scene();
  const kept = {
    connection: 'close, x-own',
    'content-length': '1',
    'transfer-encoding': 'chunked',
    'keep-alive': 'timeout=1',
    upgrade: 'h2c',
    trailer: 'x-a',
    te: 'trailers',
    via: '1.1 nobody',
    'proxy-authenticate': 'Basic',
    'alt-svc': 'h2="evil.example:443"',
    'strict-transport-security': 'max-age=1',
    'clear-site-data': '"cookies"',
    nel: '{}',
    'report-to': '{}',
  };
  const reply = await answerWith(made, {
    ...kept,
    'x-own': 'yes',
    'x-workswap-price': '0',
    'X-Workswap-Receipt': 'bafy',
    'set-cookie': 'a=1; Domain=localhost; Path=/\nb=2; HttpOnly; domain = .localhost ;Secure\nc=3;DOMAIN',
  });
  expect(reply.status).toBe(200);
  expect(reply.headers).toMatchObject({ 'x-own': 'yes', 'content-length': String(reply.body.length) });
  for (const [name, value] of Object.entries(kept)) {
    if (name !== 'content-length' && name !== 'connection') expect(reply.headers[name], value).toBeUndefined();
  }
  expect(reply.headers.connection).not.toContain('x-own');
  expect(Number(reply.headers['x-workswap-price'])).toBeGreaterThan(0);
  expect(reply.headers['x-workswap-receipt']).toMatch(/^bafyrei/);
  expect(reply.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; HttpOnly;Secure', 'c=3']);
  const shared = await answerWith(
    { ...made, host: '127.0.0.1' },
    { 'set-cookie': 'a=1', 'service-worker-allowed': '/', 'content-security-policy': "default-src 'self'" },
    200,
    `/workswap/${made.name}/raw`,
  );
  expect(shared.headers['set-cookie']).toBeUndefined();
  expect(shared.headers['service-worker-allowed']).toBeUndefined();
  expect(shared.headers['content-security-policy']).toMatch(/^sandbox (?!.*allow-same-origin).*default-src 'self'$/);
});

test('pages of one service read nothing of another: origins, cookies, permissions', async () => {
  const { gateway, host, name, site } = await scene({ domains: ['sites.example'] });
  const origin = 'http://other.localhost';
  for (const path of ['/x', '/about.html', '/throw', '/docs/..']) {
    const reply = await ask(gateway, path, { host, headers: { origin } });
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
  }
  // At a shared host neither a service nor a page of content gets the host's origin.
  const main = `127.0.0.1:${gateway.port}`;
  for (const path of [`/workswap/${name}/about.html`, `/workswap/${name}/x`, `/ipfs/${site}/about.html`]) {
    const reply = await ask(gateway, path, { host: main, headers: { cookie: 'session=1' } });
    expect(reply.headers['content-security-policy']).toMatch(/^sandbox (?!.*allow-same-origin)/);
    expect(reply.text).not.toContain('session');
  }
  expect(
    (await ask(gateway, `/workswap/${name}/worker`, { host: main })).headers['service-worker-allowed'],
  ).toBeUndefined();
});

test('the service at the root gets cookies where they are its own, not those of every port of this machine', async () => {
  const { gateway: first, provider, name } = await scene();
  const config = { listen: '127.0.0.1:0', service: name, domains: ['sites.example'] };
  const gateway = await startGateway(provider, config);
  onTestFinished(() => gateway.stop());
  expect(first.port).not.toBe(gateway.port);
  const headers = { cookie: 'workswap-admin=secret' };
  for (const host of ['127.0.0.1', `localhost:${gateway.port}`, '[::1]']) {
    expect(JSON.parse((await ask(gateway, '/x', { host, headers })).text).cookie).toBe('-');
    const body = dagCbor.encode({ headers: { 'set-cookie': 'a=1' }, status: 200 });
    expect((await ask(gateway, '/raw', { host, method: 'POST', body })).headers['set-cookie']).toBeUndefined();
  }
  for (const host of ['sites.example', `${name}.localhost`]) {
    expect(JSON.parse((await ask(gateway, '/x', { host, headers })).text).cookie).toBe('workswap-admin=secret');
  }
});

test('behind a proxy redirects lead to its host; what others say of it counts for nothing', async () => {
  const proxied = await scene({ trustProxy: true });
  const alone = await scene();
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'web.example' };
  const at = async ({ gateway, site }: Scene, more: Record<string, string>) => {
    return (await ask(gateway, `/ipfs/${site}/docs`, { host: 'localhost', headers: more })).headers.location;
  };
  expect(await at(proxied, headers)).toBe(`https://${proxied.site}.ipfs.web.example/docs`);
  expect(await at(alone, headers)).toBe(`http://${alone.site}.ipfs.localhost/docs`);
  for (const host of ['evil.example/?', 'a@evil.example', 'evil.example#', 'a, b', '']) {
    expect(await at(proxied, { 'x-forwarded-host': host })).toBe(`http://${proxied.site}.ipfs.localhost/docs`);
  }
});

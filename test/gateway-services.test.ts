import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { CarReader } from '@ipld/car';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReceipt, rawCid } from '../sdk/protocol/index.ts';
import { ask, gatewayScene, SITE, type Scene } from './gateway-scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await gatewayScene({ domains: ['sites.example'] });
});
afterAll(() => scene.stop());

const at = (path: string, options: Parameters<typeof ask>[2] = {}) =>
  ask(scene.gateway, path, { host: scene.host, ...options });

describe('a service at its own host', () => {
  it('answers from the handler, with price, timing and a tag of the output; with a receipt of what it changed', async () => {
    const reply = await at('/x/y?a=b', { headers: { cookie: 'c=1', 'x-mine': 'yes', 'x-forwarded-for': '6.6.6.6' } });
    expect(JSON.parse(reply.text)).toEqual({
      method: 'GET',
      path: '/x/y',
      query: 'b',
      cookie: 'c=1',
      type: '-',
      forwarded: '-',
      mine: 'yes',
      body: '',
    });
    expect(reply.headers['x-workswap-receipt']).toBeUndefined();
    expect(Number(reply.headers['x-workswap-price'])).toBeGreaterThan(0);
    expect(reply.headers['server-timing']).toMatch(/^job;dur=[\d.]+, fuel;desc="\d+"$/);
    expect(reply.headers['cache-control']).toBe('private, no-cache');
    expect(reply.headers.etag).toMatch(/^"bafkrei/);
    const again = await at('/x/y?a=b', {
      headers: { cookie: 'c=1', 'x-mine': 'yes', 'if-none-match': `"other", W/${reply.headers.etag}` },
    });
    expect(again.status).toBe(304);
    expect(again.body).toHaveLength(0);
    expect((await at('/x', { method: 'POST', body: 'k' })).headers['x-workswap-receipt']).toMatch(/^bafyrei/);
  });

  it('takes bodies, answers HEAD without one, and 204 as it is', async () => {
    const posted = await at('/form', {
      method: 'POST',
      body: 'k=v',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(JSON.parse(posted.text)).toMatchObject({
      method: 'POST',
      body: 'k=v',
      type: 'application/x-www-form-urlencoded',
    });
    expect(posted.headers['cache-control']).toBe('no-store');
    const head = await at('/x', { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(10);
    expect((await at('/none')).status).toBe(204);
    expect((await at('/x', { method: 'OPTIONS' })).headers.allow).toContain('POST');
    expect((await at('/x', { method: 'OPTIONS' })).headers['access-control-allow-origin']).toBeUndefined();
    expect((await at('/x', { method: 'TRACE' })).status).toBe(405);
  });

  it('gives files of the site as they are: type, tag, range, HEAD', async () => {
    const file = await at('/about.html');
    expect([file.status, file.text]).toEqual([200, SITE['about.html']]);
    expect(file.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      etag: `"${rawCid(Buffer.from(SITE['about.html']!))}"`,
      'accept-ranges': 'bytes',
    });
    expect(file.headers['x-workswap-receipt']).toBeUndefined();
    expect((await at('/about.html', { headers: { 'if-none-match': String(file.headers.etag) } })).status).toBe(304);
    const part = await at('/about.html', { headers: { range: 'bytes=2-8' } });
    expect([part.status, part.text]).toEqual([206, 'doctype']);
    expect((await at('/about.html', { headers: { range: 'bytes=999-' } })).status).toBe(416);
    expect((await at('/about.html', { method: 'HEAD' })).headers['content-length']).toBe(String(file.body.length));
    expect((await at('/docs/')).text).toContain('docs');
    expect((await at('/docs?q=1')).headers.location).toBe('./docs/?q=1');
    // A directory without an index, and another method on a file, are the handler's.
    expect(JSON.parse((await at('/plain/')).text)).toMatchObject({ path: '/plain/' });
    expect(JSON.parse((await at('/about.html', { method: 'POST', body: '' })).text)).toMatchObject({ method: 'POST' });
  });

  it('follows _redirects before the handler, after the files', async () => {
    const moved = await at('/old/a/b');
    expect([moved.status, moved.headers.location]).toEqual([301, '/about.html?from=a/b']);
    const lost = await at('/lost/x');
    expect([lost.status, lost.text]).toEqual([404, SITE['404.html']]);
    expect((await at('/spa/any')).text).toBe(SITE['about.html']);
    expect(JSON.parse((await at('/other')).text)).toMatchObject({ path: '/other' });
  });

  it('compresses pages, scripts and streams, but nothing that is for one visitor', async () => {
    const page = await at('/page', { headers: { 'accept-encoding': 'gzip, br' } });
    expect(page.headers).toMatchObject({ 'content-encoding': 'br', vary: 'Accept-Encoding' });
    const plain = await at('/page');
    expect(brotliDecompressSync(page.body).toString()).toBe(plain.text);
    expect(page.headers.etag).not.toBe(plain.headers.etag);
    const back = await at('/page', { headers: { 'if-none-match': String(page.headers.etag) } });
    expect(back.status).toBe(304);
    const script = await at('/app.js', { headers: { 'accept-encoding': 'gzip' } });
    expect(gunzipSync(script.body).toString()).toBe(SITE['app.js']);
    const stream = await at('/big', { headers: { 'accept-encoding': 'gzip' } });
    expect(gunzipSync(stream.body)).toHaveLength(600_000);
    for (const headers of [{ cookie: 'a=1' }, { authorization: 'Bearer x' }, { 'sec-fetch-site': 'cross-site' }]) {
      const personal = await at('/page', { headers: { 'accept-encoding': 'br', ...headers } });
      expect(personal.headers['content-encoding']).toBeUndefined();
    }
  });

  it('streams what is long, with the receipt in the trailers', async () => {
    const reply = await at('/big');
    expect(reply.body).toHaveLength(600_000);
    expect(reply.headers['transfer-encoding']).toBe('chunked');
    expect(reply.trailers['x-workswap-receipt']).toMatch(/^bafy/);
    expect(Number(reply.trailers['x-workswap-price'])).toBeGreaterThan(500_000);
  });

  it('hands out the receipt, and a CAR with everything to run the task again', async () => {
    const receipt = openReceipt((await at('/x?format=receipt')).body);
    expect(receipt.receipt.provider).toBe(scene.provider.peerId.toString());
    const plain = await at('/x');
    expect(plain.headers.etag).toBe(`"${receipt.receipt.output}"`);
    expect(plain.headers['x-workswap-price']).toBe(String(receipt.receipt.priceBytes));
    expect(plain.headers['server-timing']).toContain(`fuel;desc="${receipt.receipt.usage.fuel}"`);
    const reply = await at('/x?a=1&format=car');
    const car = await CarReader.fromBytes(reply.body);
    const [root] = await car.getRoots();
    expect(root!.toString()).toBe(reply.headers['x-workswap-receipt']);
    const sealed = openReceipt((await car.get(root!))!.bytes);
    for (const cid of [sealed.receipt.task, sealed.receipt.input, sealed.receipt.tariff, sealed.receipt.handler]) {
      expect(await car.has(cid)).toBe(true);
    }
  });

  it('is also at a domain of the configuration', async () => {
    expect((await at('/about.html', { host: `${scene.name}.sites.example` })).text).toBe(SITE['about.html']);
  });
});

describe('a service at a path', () => {
  it('gets its own paths, no cookies, and an origin that can read nobody else', async () => {
    const reply = await ask(scene.gateway, `/workswap/${scene.name}/x?a=1`, { headers: { cookie: 'other=1' } });
    expect(JSON.parse(reply.text)).toMatchObject({ path: '/x', query: '1', cookie: '-' });
    expect(reply.headers['content-security-policy']).toMatch(/^sandbox /);
    const short = await ask(scene.gateway, `/workswap/${scene.name}?a=1`);
    expect([short.status, short.headers.location]).toEqual([301, `/workswap/${scene.name}/?a=1`]);
    expect((await ask(scene.gateway, `/workswap/${scene.name}/about.html`)).text).toBe(SITE['about.html']);
  });
});

describe('what a visitor is told when it fails', () => {
  it('is a plain 500 for the handler: nothing of its message', async () => {
    const reply = await at('/throw', { headers: { accept: 'application/json' } });
    expect(reply.status).toBe(500);
    expect(JSON.parse(reply.text)).toEqual({
      error: { code: 'HANDLER_FAILED', message: 'The service failed', retryable: false },
    });
    expect(reply.headers['x-workswap-error']).toBeDefined();
    expect(reply.text).not.toContain('secret');
  });

  it('is a 404 for a service that nobody knows, as a page for a browser', async () => {
    const reply = await ask(scene.gateway, '/', {
      host: 'nowhere.localhost',
      headers: { accept: 'text/html,*/*;q=0.8' },
    });
    expect(reply.status).toBe(404);
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(reply.text).toContain('SERVICE_NOT_FOUND');
  });
});

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testHandler } from 'workswap/testing';
import type { TestSite } from 'workswap/testing';

const SOURCE = fileURLToPath(new URL('sdk/assembly/routes.ts', import.meta.url));

let site: TestSite;

beforeAll(async () => {
  site = await testHandler(SOURCE);
});
afterAll(() => site.close());

describe('a router', () => {
  it('calls the first route whose method and path fit, with what the names stand for', async () => {
    expect((await site.get('/')).text()).toBe('home');
    expect((await site.get('/page/a%20b%2Fc?x=1')).text()).toBe('page a b/c');
    expect((await site.get('/page/new')).text()).toBe('page new');
    expect((await site.post('/page/x', 'body')).text()).toBe('saved x');
    expect((await site.request('DELETE', '/page/x')).text()).toBe('gone x');
    expect((await site.get('/files/a/b%20c/d.txt')).text()).toBe('file a/b c/d.txt');
    expect((await site.get('/files')).text()).toBe('file ');
    expect((await site.get('/segments/a%2Fb/')).text()).toBe('segments|a/b|');
  });

  it('answers 404 where there is no path, also for one segment too many or too few', async () => {
    for (const path of ['/page', '/page/', '/page/a/b', '/Page/a', '//', '/page/a/']) {
      expect((await site.get(path)).status, path).toBe(404);
    }
  });

  it('answers 405 with what is allowed, OPTIONS with the same', async () => {
    const refused = await site.request('PUT', '/page/x');
    expect(refused).toMatchObject({ status: 405, headers: { allow: 'GET, POST, DELETE, HEAD' } });
    expect(await site.request('OPTIONS', '/page/x')).toMatchObject({
      status: 204,
      headers: { allow: 'GET, POST, DELETE, HEAD, OPTIONS' },
    });
    expect((await site.post('/')).headers['allow']).toBe('GET, HEAD');
  });

  it('answers HEAD as GET without a body', async () => {
    const head = await site.request('HEAD', '/page/x');
    const get = await site.get('/page/x');
    expect(head).toMatchObject({ status: 200, headers: get.headers });
    expect(head.bytes.length).toBe(0);
    expect((await site.request('HEAD', '/stream')).bytes.length).toBe(0);
    expect((await site.request('HEAD', '/nowhere')).status).toBe(404);
  });
});

describe('a response', () => {
  it('is sent in pieces', async () => {
    expect((await site.get('/stream')).text()).toBe('first second third');
  });

  it('that never came tells its author where the handler threw', async () => {
    const { status, error } = await site.get('/fail');
    const line = await lineOf('throw new Error');
    expect(status).toBe(0);
    expect(error).toMatchObject({ code: 'HANDLER_FAILED', fault: 'handler', file: 'routes.ts', line });
    expect(error?.message).toBe(`there is no such page (routes.ts:${line}:3)`);
    expect((await site.get('/fail?assert')).error).toMatchObject({ file: 'routes.ts', line: await lineOf('assert(') });
    expect((await site.get('/fail?bounds')).error?.message).toMatch(/^Index out of range \(/);
  });
});

async function lineOf(text: string): Promise<number> {
  const lines = (await readFile(SOURCE, 'utf8')).split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
}

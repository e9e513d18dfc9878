import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testHandler, type TestSite } from '../../provider/testing/index.ts';

const SOURCE = fileURLToPath(new URL('assembly/index.ts', import.meta.url));

let site: TestSite;
beforeEach(async () => {
  site = await testHandler(SOURCE);
});

const cookieOf = (headers: Record<string, string>): Record<string, string> => ({
  cookie: (headers['set-cookie'] ?? '').split(';')[0]!,
});

afterEach(() => site.close());

describe('the guestbook', () => {
  test('shows what visitors wrote, newest first, and goes back to the page after signing', async () => {
    const signed = await site.post('/sign', { name: 'Ada', message: 'Hello from 1843' });
    expect([signed.status, signed.headers['location']]).toEqual([303, './']);
    await site.post('/sign', { name: 'Grace', message: 'Second' });
    const page = await site.get('/');
    expect(page.status).toBe(200);
    const html = page.text();
    expect(html.indexOf('Grace')).toBeLessThan(html.indexOf('Ada'));
    expect(html).toContain('Hello from 1843');
  });

  test('lets only who wrote an entry remove it', async () => {
    const signed = await site.post('/sign', { name: 'Ada', message: 'mine' });
    expect((await site.post('/remove', { entry: '0' })).status).toBe(403);
    expect((await site.post('/remove', { entry: '0' }, { headers: cookieOf(signed.headers) })).status).toBe(303);
    expect((await site.get('/')).text()).not.toContain('mine');
    expect((await site.post('/remove', { entry: '0' })).status).toBe(404);
  });

  test('shows markup as text', async () => {
    const attack = '"><script>alert(1)</script>';
    await site.post('/sign', { name: attack, message: `${attack}<img src=x onerror=alert(1)>` });
    const html = (await site.get('/')).text();
    expect(html).not.toMatch(/<script>alert|<img/);
    expect(html).toContain('&lt;script&gt;');
  });

  test('refuses what is empty, too long, from another site, or no form, and keeps nothing of it', async () => {
    expect((await site.post('/sign', { name: '', message: '' })).status).toBe(422);
    expect((await site.post('/sign', { name: 'x', message: 'y'.repeat(20_000) })).status).toBe(413);
    const cross = { headers: { 'sec-fetch-site': 'cross-site' } };
    expect((await site.post('/sign', { name: 'x', message: 'y' }, cross)).status).toBe(403);
    const text = { headers: { 'content-type': 'text/plain' } };
    expect((await site.post('/sign', 'name=x&message=y', text)).status).toBe(415);
    expect((await site.get('/sign')).status).toBe(405);
    expect((await site.get('/?before=99999999999999999999')).status).toBe(200);
    expect((await site.get('/?before=-1')).status).toBe(200);
    expect(site.state.files()).toHaveLength(0);
  });

  test('tells the first that asked of each new entry, and nobody when it lets go', async () => {
    const ada = { from: '12D3KooWKWnPDmm7xNydzDMMMGLtge7kYmdxJS1PXNN4eqE1hGCf' };
    const sign = (message: string) => site.post('/sign', { name: 'Grace', message });
    expect((await sign('one')).messages).toEqual([]);
    expect((await site.deliver('watch', ada)).error).toBeUndefined();
    expect((await site.deliver('watch')).error?.message).toContain('somebody else watches');
    expect((await site.deliver('unwatch')).error?.message).toContain('somebody else watches');
    expect((await site.deliver('hello', ada)).error?.message).toContain('send "watch" or "unwatch"');
    const [message] = (await sign('two')).messages;
    expect([message?.to, message?.text()]).toEqual([ada.from, 'Grace wrote: two']);
    expect((await site.post('/sign', { name: '', message: '' })).messages).toEqual([]);
    expect((await site.deliver('unwatch', ada)).error).toBeUndefined();
    expect((await sign('three')).messages).toEqual([]);
  });

  test('pages through many entries', async () => {
    for (let i = 0; i < 45; i++) await site.post('/sign', { name: `n${i}`, message: `message ${i}.` });
    const seen = new Set<string>();
    let path = '/';
    for (let pages = 0; pages < 10; pages++) {
      const html = (await site.get(path)).text();
      for (const [found] of html.matchAll(/message \d+\./g)) seen.add(found);
      const next = /\?before=\d+/.exec(html)?.[0];
      if (next === undefined) break;
      path = `/${next}`;
    }
    expect(seen.size).toBe(45);
  });
});

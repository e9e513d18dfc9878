import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newProject } from '../provider/workbench/index.ts';
import { directory } from './fixtures.ts';
import { rawGet, startDevProcess } from './dev-process.ts';
import type { DevProcess } from './dev-process.ts';

let parent: string;
let project: string;
let dev: DevProcess;

const HANDLER = `import { Message, Request, Response, log, send } from 'workswap';

export function handle(req: Request): Response {
  if (req.path == '/fail') throw new Error('no such page');
  if (req.path == '/page') return Response.html('<body><p>page</p></body>').cookie('a', '1').cookie('b', '2');
  log.info('asked for ' + req.path);
  return Response.text(req.method + ' ' + req.text);
}

export function deliver(message: Message): void {
  send(message.from, 'you wrote <' + message.text + '>');
}
`;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'workswap-dev-'));
  project = join(parent, 'example');
  await newProject(project, 'example', 'site');
  await writeFile(join(project, 'assembly', 'index.ts'), HANDLER);
  await writeFile(join(project, 'public', 'plain.html'), '<h1>static</h1>');
  await mkdir(join(project, 'public', 'docs'));
  await writeFile(join(project, 'public', 'docs', 'index.html'), 'docs');
  await writeFile(join(project, 'public', 'big.bin'), new Uint8Array(5_000_000));
  await writeFile(join(project, 'public', 'empty.bin'), '');
  await writeFile(join(project, 'secret'), 'secret');
  await symlink(join(project, 'secret'), join(project, 'public', 'leak.txt'));
  dev = await startDevProcess(project);
  await dev.event('built');
});

afterAll(async () => {
  expect(await dev.stop()).toBe(0);
  await rm(parent, { recursive: true, force: true });
});

async function get(path: string): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(new URL(path, dev.url));
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe('workswap dev', () => {
  it('serves the files of the site, and asks the handler for everything else', async () => {
    expect((await get('/style.css')).headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect((await get('/docs/')).text).toContain('docs');
    const big = await fetch(new URL('/big.bin', dev.url));
    expect([big.headers.get('content-length'), (await big.bytes()).length]).toEqual(['5000000', 5_000_000]);
    expect(await (await fetch(new URL('/empty.bin', dev.url))).text()).toBe('');
    expect((await get('/docs/nothing')).text).toBe('GET ');
    const posted = await fetch(new URL('/x', dev.url), { method: 'POST', body: 'body' });
    expect(await posted.text()).toBe('POST body');
    expect((await get('/page')).headers.getSetCookie()).toEqual([
      'a=1; Path=/; HttpOnly; SameSite=Lax',
      'b=2; Path=/; HttpOnly; SameSite=Lax',
    ]);
  });

  it('puts the reload script into pages and into nothing else', async () => {
    const script = '<script src="/.workswap/reload.js" defer></script>';
    expect((await get('/page')).text).toBe(`<body><p>page</p>${script}</body>`);
    expect((await get('/plain.html')).text).toBe(`<h1>static</h1>${script}`);
    for (const path of ['/other', '/style.css', '/.workswap/reload.js']) {
      expect((await get(path)).text).not.toContain('<script');
    }
  });

  it('tells what each request costs, in the terminal, the headers and on a page, and where its fuel went', async () => {
    const { headers } = await get('/cost');
    expect(headers.get('server-timing')).toMatch(/^fuel;desc="\d+", memory;desc="1 pages", price;desc="\d+ bytes"$/);
    let event = await dev.event('request');
    while (event['path'] !== '/cost') event = await dev.event('request');
    expect(event).toMatchObject({ method: 'GET', status: 200, memoryPagesPeak: 1, logs: ['asked for /cost'] });
    const page = (await get('/.workswap/')).text;
    expect(page).toContain('asked for /cost');
    expect(page).toContain((event['fuel'] as number).toLocaleString('en-US'));
    const profile = (await get(`/.workswap/profile?id=${String(event['id'])}`)).text;
    expect(profile).toContain('<svg');
    expect(profile).toMatch(/workswap\/request\/Request#/);
    expect(profile).toContain('<td>index.ts:6</td>');
    expect((await get('/.workswap/profile?id=999999')).status).toBe(404);
  });

  it('brings a message to the handler, and shows what the handler sends', async () => {
    const from = '12D3KooWKWnPDmm7xNydzDMMMGLtge7kYmdxJS1PXNN4eqE1hGCf';
    const deliver = (query: string, body: string, headers = {}) =>
      fetch(new URL(`/.workswap/deliver${query}`, dev.url), { method: 'POST', body, headers });
    expect((await deliver(`?from=${from}`, 'hello')).status).toBe(204);
    let event = await dev.event('request');
    while (event['method'] !== 'DELIVER') event = await dev.event('request');
    expect(event).toMatchObject({ messages: [{ to: from, text: 'you wrote <hello>' }] });
    expect((await get('/.workswap/')).text).toContain(`sends to ${from}: you wrote &lt;hello&gt;`);
    expect((await deliver('', 'hello')).status).toBe(204);
    expect(await (await deliver('?from=me', 'hello')).text()).toContain('from is neither a service nor a peer');
    expect((await deliver('', 'x'.repeat(65_537))).status).toBe(413);
    expect((await deliver('', 'hello', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it('shows the author where the handler threw', async () => {
    const { status, text } = await get('/fail');
    expect(status).toBe(500);
    expect(text).toContain('no such page (index.ts:4:');
    expect(text).toContain('<strong class="bad">    4 |   if (req.path == &#39;/fail&#39;)');
    expect(text).toContain('/.workswap/reload.js');
  });

  it('builds and reloads open pages when a source changes, and shows what does not compile', async () => {
    const events = await fetch(new URL('/.workswap/events', dev.url));
    const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
    const reloaded = async (): Promise<void> => {
      for (let text = ''; !text.includes('event: reload'); text += (await reader.read()).value ?? '');
    };
    const source = join(project, 'assembly', 'index.ts');
    await writeFile(source, HANDLER.replace("req.method + ' '", "'changed '"));
    await reloaded();
    expect((await get('/')).text).toBe('changed ');

    await writeFile(source, HANDLER.replace('req.method', 'req.nothing'));
    await reloaded();
    expect(await dev.event('build-failed')).toMatchObject({
      message: expect.stringMatching(/index\.ts:7:\d+ - error TS2339/) as string,
    });
    const broken = await get('/');
    expect(broken.status).toBe(500);
    expect(broken.text).toMatch(/index\.ts:7:\d+ - error TS2339/);
    expect(broken.text).toContain('/.workswap/reload.js');
    expect((await get('/style.css')).status).toBe(200);

    await writeFile(source, HANDLER);
    await reloaded();
    expect((await get('/')).text).toBe('GET ');
    await reader.cancel();
  });

  it('gives nothing but the site to pages from elsewhere and to clever paths', async () => {
    expect(await readFile(join(project, 'public', 'leak.txt'), 'utf8')).toBe('secret');
    for (const path of [
      '/leak.txt',
      '/../secret',
      '/..%2fsecret',
      '/%2e%2e/secret',
      '/docs/..%5c..%5csecret',
      '/%00',
    ]) {
      // The handler answers: there is no such file.
      expect(await rawGet(dev.url, path), path).toEqual({ status: 200, text: 'GET ' });
    }
    expect((await rawGet(dev.url, '/', 'evil.example')).status).toBe(421);
    expect((await rawGet(dev.url, '/.workswap/state', 'localhost.evil.example')).status).toBe(421);
    const large = await fetch(new URL('/x', dev.url), { method: 'POST', body: new Uint8Array(1024 * 1024 + 1) });
    expect(large.status).toBe(413);
  });
});

it('keeps the state of a project in plain files, also after a restart, and throws it away when asked to', async () => {
  const home = await directory();
  const book = join(home, 'book');
  await newProject(book, 'book', 'guestbook');
  const first = await startDevProcess(book);
  await fetch(new URL('/sign', first.url), {
    method: 'POST',
    body: new URLSearchParams({ name: 'Ada', message: 'Hi' }),
  });
  expect(await first.stop()).toBe(0);
  const file = join(book, '.workswap', 'state', 'entries', '0000000', '0000000000');
  expect(await readFile(file, 'utf8')).toBe('Ada\nHi');

  const second = await startDevProcess(book);
  const page = await (await fetch(second.url)).text();
  expect(page).toContain('<strong>Ada</strong>');
  const { id } = await second.event('request');
  expect(await (await fetch(new URL(`/.workswap/profile?id=${String(id)}`, second.url))).text()).toContain(
    'state_read',
  );
  expect(await (await fetch(new URL('/.workswap/state?path=entries/length', second.url))).text()).toContain(
    '<pre>1</pre>',
  );
  await fetch(new URL('/.workswap/state/clear', second.url), { method: 'POST' });
  expect(await (await fetch(second.url)).text()).not.toContain('Ada');
  expect(await second.stop()).toBe(0);
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});

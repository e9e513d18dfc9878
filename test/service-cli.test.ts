import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { consumer, directory } from './fixtures.ts';
import { startProvider, workswap } from './processes.ts';
import { notesHandler, post, read } from './service-scene.ts';

const PROVIDER = ['--no-first-job', '--verbose', '--gateway', '127.0.0.1:0'];

/** What the commands print, as far as it is looked at here. */
interface Printed {
  service: string;
  site?: string;
  sequence: number;
  root: string;
  endpoints: { root?: string }[];
  history: { after: string }[];
}

async function json<T = Printed>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await workswap([...args, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout.toString()) as T;
}

async function started(data: string) {
  const provider = await startProvider({ data, args: PROVIDER });
  onTestFinished(async () => void (await provider.kill()));
  const visitor = await consumer({ routing: { bootstrap: provider.addrs, privateAddresses: true } });
  return { provider, visitor };
}

describe('workswap service', () => {
  it('creates, shows, updates, rolls back, exports and imports a service, which goes on at another provider', async () => {
    const data = await directory();
    const handler = join(data, 'notes.wasm');
    const site = join(data, 'public');
    await mkdir(site);
    await writeFile(handler, await notesHandler());
    await writeFile(join(site, 'style.css'), 'body {}');
    const { visitor, provider } = await started(data);

    const created = await json('service', 'create', 'notes', '--handler', handler, '--site', site, '--data', data);
    expect(created.endpoints).toEqual([{ peer: provider.peerId, accepted: true }]);
    const name = created.service;
    expect(await provider.event('hosted')).toMatchObject({ service: name, descriptor: expect.any(String) });
    expect((await stat(join(data, 'keys', 'notes.key'))).mode & 0o777).toBe(0o600);
    const twice = await workswap(['service', 'create', 'notes', '--handler', handler, '--data', data]);
    expect(twice.code).toBe(1);
    expect(twice.stderr).toContain('SERVICE_EXISTS');

    await post(visitor, name, 'one');
    expect(await provider.event('job')).toMatchObject({ method: 'POST', path: '/', code: 'OK', status: 200 });
    await post(visitor, name, 'two');
    const shown = await json('service', 'show', 'notes', '--data', data);
    expect(shown.history).toHaveLength(2);
    expect(shown.site).toBe(created.site);
    const back = await json<Printed[]>('service', 'rollback', 'notes', '--back', '1', '--data', data);
    expect(back[0]?.root).toBe(shown.history[1]?.after);
    expect(await read(visitor, name)).toMatch(/\none\n$/);
    expect(await provider.event('rolledBack')).toMatchObject({ service: name, root: shown.history[1]?.after });
    const updated = await json('service', 'update', 'notes', '--no-site', '--data', data);
    expect(updated.sequence).toBe(2);
    expect(updated).not.toHaveProperty('site');
    expect(await json('service', 'list', '--data', data)).toMatchObject([{ name: 'notes', service: name }]);

    const car = join(data, 'notes.car');
    const exported = await json('service', 'export', 'notes', car, '--data', data);
    const before = await json('service', 'show', 'notes', '--data', data);
    await provider.stop();

    const other = await directory();
    await mkdir(join(other, 'keys'));
    await copyFile(join(data, 'keys', 'notes.key'), join(other, 'keys', 'notes.key'));
    const { visitor: reader } = await started(other);
    await json('service', 'import', 'notes', car, '--data', other);
    const after = await json('service', 'show', 'notes', '--data', other);
    expect(after.history).toEqual(before.history);
    expect(after.endpoints[0]?.root).toBe(exported.root);
    expect(await read(reader, name)).toMatch(/\none\n$/);
    await post(reader, name, 'three');
    expect(await read(reader, name)).toMatch(/\none\nthree\n$/);
    await json('service', 'rollback', 'notes', '--back', '2', '--data', other);
    expect(await read(reader, name)).toMatch(/\none\ntwo\n$/);
  });

  it('says what is missing: a provider, a key, a file', async () => {
    const data = await directory();
    const handler = join(data, 'notes.wasm');
    await writeFile(handler, await notesHandler());
    const run = (...args: string[]) => workswap(['service', ...args, '--data', data]);
    const unreached = await run('create', 'notes', '--handler', handler);
    expect(unreached).toMatchObject({ code: 5 });
    expect(unreached.stderr).toContain('No provider runs in');
    expect(await run('show', 'notes')).toMatchObject({ code: 1 });
    expect((await run('show', 'notes')).stderr).toContain('SERVICE_UNKNOWN');
    expect(await run('create', 'notes', '--handler', 'nothing.wasm')).toMatchObject({ code: 2 });
    expect(await run('create', 'Not A Name', '--handler', handler)).toMatchObject({ code: 5 });
    expect(await run('rollback', 'notes')).toMatchObject({ code: 2 });
  });

  it('publishes a project, its files and its handler, and a visitor of the gateway uses both', async () => {
    const data = await directory();
    const { provider } = await started(data);
    const project = join(await directory(), 'pages');
    expect((await workswap(['new', project, '--template', 'site'])).code).toBe(0);
    await writeFile(join(project, 'public', 'big.bin'), new Uint8Array(3_000_000).fill(7));
    const published = await json('publish', project, '--data', data);
    const ready = provider.gateway!;
    const at = async (path: string) => fetch(new URL(`/workswap/pages${path}`, ready));
    const big = await at('/big.bin');
    expect([big.status, (await big.bytes()).length]).toEqual([200, 3_000_000]);
    const page = await at('/');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    expect(Number(page.headers.get('x-workswap-price'))).toBeGreaterThan(0);
    await writeFile(join(project, 'public', 'big.bin'), 'smaller');
    // Two at once and a third: each waits for those before it, and follows from them.
    const again = await Promise.all([
      json('publish', project, '--data', data),
      json('publish', project, '--data', data),
      json('service', 'update', basename(project), '--data', data),
    ]);
    expect(again.map(({ service }) => service)).toEqual(again.map(() => published.service));
    expect(again.map(({ sequence }) => sequence).toSorted()).toEqual([2, 3, 4]);
    expect(await (await at('/big.bin')).text()).toBe('smaller');
  });

  it('runs a handler here with a directory as its state', async () => {
    const files = await directory();
    const [handler, state] = [join(files, 'notes.wasm'), join(files, 'state')];
    await writeFile(handler, await notesHandler());
    const run = (...args: string[]) => workswap(['run', handler, '--state', state, '--caller', 'me', ...args]);
    expect((await run('--data', 'first')).stdout.toString()).toBe('note 1');
    expect(await readFile(join(state, 'notes', '1000'), 'utf8')).toBe('first');
    expect(await run('--path', '/fail', '--data', 'lost')).toMatchObject({ code: 4 });
    expect((await run()).stdout.toString()).toBe('for me\nfirst\n');
  });
});

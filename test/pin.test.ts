import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it, vi } from 'vitest';
import { openBlockstore } from '../provider/store/index.ts';
import type { Provider } from '../provider/provider.ts';
import { consumer, directory, LISTEN, provider } from './fixtures.ts';
import { makeFile, pinWhen, putAll } from './pin-scene.ts';
import { startProvider, workswap } from './processes.ts';

const request = (cid: { toString(): string }, origins: string[] = []) => ({ cid: cid.toString(), origins, meta: {} });

const selfOf = ({ peerId }: Provider): string => peerId.toString();

it('a DAG is pinned from a connected peer, listed with its size, and removed', async () => {
  const host = await provider({ dataDir: await directory() });
  const holder = await consumer();
  const dag = await makeFile(3_000_000);
  await putAll(holder.blockstore, dag.blocks);
  await holder.connect(host.addrs);
  const { id } = host.pinning.add(selfOf(host), { ...request(dag.root), name: 'holiday' });
  const pin = await pinWhen(host, { owner: selfOf(host), id }, ({ status }) => status === 'pinned');
  expect(pin).toMatchObject({ name: 'holiday', blocks: dag.blocks.length, bytes: dag.bytes, attempts: 0 });
  expect(host.pinning.list(selfOf(host), { statuses: ['pinned'] })).toEqual({ count: 1, pins: [pin] });
  host.pinning.remove(selfOf(host), id);
  expect(host.pinning.list(selfOf(host), {})).toEqual({ count: 0, pins: [] });
  expect(() => host.pinning.get(selfOf(host), id)).toThrow(expect.objectContaining({ code: 'PIN_NOT_FOUND' }));
});

it('a provider that is killed while it fetches goes on after the restart, and fetches nothing twice', async () => {
  const data = await directory();
  const config = join(data, 'pins.toml');
  await writeFile(config, '[pinning]\nprivateOrigins = true\n');
  const dag = await makeFile(4_000_000);
  const holder = await consumer({ listen: [LISTEN] });
  const missing = dag.blocks.splice(50, 100);
  await putAll(holder.blockstore, dag.blocks);
  const [origin] = holder.libp2p.getMultiaddrs();
  let host = await startProvider({ data, config });
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await workswap(['pin', ...args, '--data', data, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout.toString());
  };
  const { id } = await run('add', dag.root.toString(), '--origin', origin!.toString());
  await vi.waitFor(
    async () => expect(await run('status', id)).toMatchObject({ status: 'pinning', blocks: dag.blocks.length }),
    {
      timeout: 60_000,
    },
  );
  await host.kill();
  host = await startProvider({ data, config });
  await putAll(holder.blocks, missing);
  await vi.waitFor(async () => expect(await run('status', id)).toMatchObject({ status: 'pinned' }), {
    timeout: 60_000,
  });
  const [pin] = await run('ls');
  const all = [...dag.blocks, ...missing];
  expect(pin).toMatchObject({ id, blocks: all.length, bytes: dag.bytes });
  expect(await run('rm', id)).toEqual({ removed: [id] });
  expect(await run('ls')).toEqual([]);
  expect(await host.stop()).toBe(0);
  const stored = await openBlockstore(join(data, 'blocks'));
  for (const { cid, bytes } of all) expect(Buffer.from((await stored.read(cid))!).equals(bytes)).toBe(true);
  const sent = [...holder.scoreLedger.accounts()].map(({ blocksSent }) => blocksSent);
  expect(sent).toEqual([dag.bytes]);
});

it('what nobody has is called not found and tried again, at once when its owner comes', async () => {
  const holder = await consumer();
  const owner = holder.libp2p.peerId.toString();
  const host = await provider({ config: { credit: { allow: [owner] }, pinning: { notFoundMs: 3_000 } } });
  const dag = await makeFile(100_000);
  const { id } = host.pinning.add(owner, request(dag.root));
  const lost = await pinWhen(host, { owner, id }, ({ status }) => status === 'failed');
  expect(lost.error?.code).toBe('CONTENT_NOT_FOUND');
  expect(lost.error?.message).toContain(dag.root.toString());
  expect(lost.nextMs).toBeGreaterThan(Date.now() + 50_000);
  await putAll(holder.blockstore, dag.blocks);
  await holder.libp2p.dial(host.addrs.map((addr) => multiaddr(addr)));
  const pin = await pinWhen(host, { owner, id }, ({ status }) => status === 'pinned');
  expect(pin.error).toBeUndefined();
  expect(pin.nextMs).toBeUndefined();
});

it('a pin that is removed while it is fetched fetches nothing more', async () => {
  const host = await provider();
  const holder = await consumer();
  const dag = await makeFile(200_000);
  await putAll(holder.blockstore, dag.blocks.slice(2));
  await holder.connect(host.addrs);
  const { id } = host.pinning.add(selfOf(host), request(dag.root));
  await pinWhen(host, { owner: selfOf(host), id }, ({ blocks }) => blocks === dag.blocks.length - 2);
  expect(host.bitswap.wantlist()).toHaveLength(2);
  host.pinning.remove(selfOf(host), id);
  await vi.waitFor(() => expect(host.bitswap.wantlist()).toHaveLength(0));
  expect(host.pinning.list(selfOf(host), {}).count).toBe(0);
});

it('origins in the own network are not dialled, unless the configuration says so', async () => {
  const stranger = await consumer({ listen: [LISTEN] });
  const dag = await makeFile(50_000);
  await putAll(stranger.blockstore, dag.blocks);
  const origins = stranger.libp2p.getMultiaddrs().map(String);
  const careful = await provider({ config: { pinning: { notFoundMs: 300 } } });
  const { id } = careful.pinning.add(selfOf(careful), request(dag.root, origins));
  await pinWhen(careful, { owner: selfOf(careful), id }, ({ status }) => status === 'failed');
  expect(stranger.libp2p.getPeers()).toEqual([]);
  const open = await provider({ config: { pinning: { privateOrigins: true } } });
  const pin = open.pinning.add(selfOf(open), request(dag.root, origins));
  await pinWhen(open, pin, ({ status }) => status === 'pinned');
});

it('an owner with many pins that nobody has does not keep others waiting', async () => {
  const holder = await consumer();
  const host = await provider({ config: { pinning: { pin: 'anyone', fetchesMax: 2, fetchTurnMs: 50 } } });
  await holder.connect(host.addrs);
  for (let i = 0; i < 20; i++) {
    const { root } = await makeFile(10);
    host.pinning.add(selfOf(host), request(root));
  }
  const owner = holder.libp2p.peerId.toString();
  const dags = await Promise.all([makeFile(300_000), makeFile(300_000), makeFile(300_000)]);
  const pins = dags.map(({ root }) => host.pinning.add(owner, request(root)));
  for (const { blocks } of dags) await putAll(holder.blocks, blocks);
  for (const pin of pins) await pinWhen(host, pin, ({ status }) => status === 'pinned');
  const lost = host.pinning.list(selfOf(host), { statuses: ['queued', 'pinning'] });
  expect(lost.count).toBe(20);
});

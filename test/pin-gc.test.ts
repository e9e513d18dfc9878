import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CID } from 'multiformats/cid';
import { expect, it } from 'vitest';
import { openBlockstore } from '../provider/store/index.ts';
import { rawCid } from '../sdk/protocol/index.ts';
import { consumer, directory, provider } from './fixtures.ts';
import { makeFile, pinWhen, putAll, type Dag } from './pin-scene.ts';
import { startProvider, workswap } from './processes.ts';
import { maintain, post, read } from './service-scene.ts';

const CHUNK_BYTES = 16 * 1024;

/** As if nothing of it had been used for two hours. */
async function age(data: string): Promise<void> {
  const old = new Date(Date.now() - 7_200_000);
  const path = join(data, 'blocks');
  for (const name of await readdir(path)) {
    for (const file of await readdir(join(path, name))) await utimes(join(path, name, file), old, old);
  }
}

async function garbage(data: string, count: number): Promise<CID[]> {
  const blocks = await openBlockstore(join(data, 'blocks'));
  const made = Array.from({ length: count }, () => randomBytes(100));
  for (const bytes of made) await blocks.put(rawCid(bytes), bytes);
  return made.map((bytes) => rawCid(bytes));
}

async function missing(data: string, cids: Iterable<CID>): Promise<string[]> {
  const blocks = await openBlockstore(join(data, 'blocks'));
  const gone: string[] = [];
  for (const cid of cids) if (!(await blocks.has(cid))) gone.push(cid.toString());
  return gone;
}

const cidsOf = ({ blocks }: Dag): CID[] => blocks.map(({ cid }) => cid);

it('a collection keeps pins, services with their history, handlers and tariff, and removes the rest, while all of it is used', async () => {
  const dataDir = await directory();
  const maintainer = await consumer();
  const credit = { allow: [maintainer.libp2p.peerId.toString()] };
  const dag = await makeFile(500_000);
  const removed = await makeFile(100_000);
  const first = await provider({ dataDir, config: { credit } });
  const self = first.peerId.toString();
  await putAll(first.blocks, [...dag.blocks, ...removed.blocks]);
  const { publication } = await maintain(maintainer, [first]);
  for (let i = 0; i < 3; i++) await post(first, publication.name, `note ${i}`);
  const pins = [dag, removed].map(({ root }) =>
    first.pinning.add(self, { cid: root.toString(), origins: [], meta: {} }),
  );
  for (const pin of pins) await pinWhen(first, pin, ({ status }) => status === 'pinned');
  first.pinning.remove(self, pins[1]!.id);
  await first.stop();
  const junk = await garbage(dataDir, 200);
  await age(dataDir);

  const host = await provider({ dataDir, config: { credit } });
  const dry = await host.pinning.collector.collect({ dryRun: true });
  expect(dry).toMatchObject({ removed: junk.length + removed.blocks.length, isRunning: false });
  expect(await missing(dataDir, junk)).toEqual([]);
  // Updates and a fetch go on while it collects.
  const late = await makeFile(300_000);
  await putAll(maintainer.blockstore, late.blocks);
  await maintainer.connect(host.addrs);
  const collecting = host.pinning.collector.collect();
  const latePin = host.pinning.add(self, { cid: late.root.toString(), origins: [], meta: {} });
  for (let i = 3; i < 9; i++) await post(host, publication.name, `note ${i}`);
  await pinWhen(host, latePin, ({ status }) => status === 'pinned');
  expect(await collecting).toMatchObject({ removed: dry.removed, removedBytes: dry.removedBytes });
  expect(await missing(dataDir, [...cidsOf(dag), ...cidsOf(late), host.tariff.cid])).toEqual([]);
  expect(await missing(dataDir, [...junk, ...cidsOf(removed)])).toHaveLength(dry.removed);
  await host.stop();

  await age(dataDir);
  const last = await provider({ dataDir, config: { credit } });
  expect(await last.pinning.collector.collect()).toMatchObject({ removed: 0 });
  expect(await read(last, publication.name)).toContain('note 8');
  const history = await last.services.history(publication.name);
  expect(history).toHaveLength(9);
  await maintainer.connect(last.addrs);
  for (const cid of history.flatMap(({ before, tasks }) => [before, ...tasks])) await maintainer.bitswap.get(cid);
  // And it still takes updates.
  await post(last, publication.name, 'note 9');
});

it('a collection that is asked for while blocks are only counted follows the count, once for all who ask', async () => {
  const dataDir = await directory();
  const junk = await garbage(dataDir, 100);
  await age(dataDir);
  const { pinning } = await provider({ dataDir });
  const counting = pinning.collector.collect({ dryRun: true });
  const collections = [
    pinning.collector.collect(),
    pinning.collector.collect(),
    pinning.collector.collect({ dryRun: true }),
  ];
  expect(await counting).toMatchObject({ dryRun: true, removed: junk.length });
  for (const collection of await Promise.all(collections)) {
    expect(collection).toMatchObject({ dryRun: false, isRunning: false, removed: junk.length });
  }
  expect(await missing(dataDir, junk)).toHaveLength(junk.length);
  expect(await pinning.collector.collect({ dryRun: true })).toMatchObject({ dryRun: true, removed: 0 });
});

it('beyond the quota of the block store pins wait, and a collection makes room for them', async () => {
  const dataDir = await directory();
  const junk = await garbage(dataDir, 3000);
  await age(dataDir);
  const config = { pinning: { storeBytesMax: 330_000, retryMsMin: 200 } };
  const host = await provider({ dataDir, config });
  const self = host.peerId.toString();
  const holder = await consumer();
  const dag = await makeFile(200_000);
  await putAll(holder.blockstore, dag.blocks);
  await holder.connect(host.addrs);
  const pin = host.pinning.add(self, { cid: dag.root.toString(), origins: [], meta: {} });
  const waits = await pinWhen(host, pin, ({ error }) => error !== undefined);
  expect(waits.error).toMatchObject({ code: 'STORE_QUOTA' });
  await host.pinning.collector.collect();
  await pinWhen(host, pin, ({ status }) => status === 'pinned');
  expect(await missing(dataDir, junk)).toHaveLength(junk.length);
});

it('workswap pin verify finds damaged and lost blocks, and they are fetched again; pin gc counts and removes', async () => {
  const data = await directory();
  await writeFile(join(data, 'workswap.toml'), '');
  const dag = await makeFile(300_000);
  const holder = await consumer();
  await putAll(holder.blockstore, dag.blocks);
  const host = await startProvider({ data });
  const run = async (...args: string[]) => {
    const { code, stdout } = await workswap(['pin', ...args, '--data', data, '--json']);
    return { code, json: JSON.parse(stdout.toString()) };
  };
  try {
    await holder.connect(host.addrs);
    const { json: pin } = await run('add', dag.root.toString(), '--wait');
    expect(pin.status).toBe('pinned');
    expect(await run('verify', pin.id)).toEqual({
      code: 0,
      json: { blocks: dag.blocks.length, bytes: dag.bytes, missing: [], corrupt: [] },
    });
    const [damaged, lost] = (await readdir(join(data, 'blocks'), { recursive: true }))
      .map((name) => join(data, 'blocks', name))
      .filter((path) => statSync(path).size === CHUNK_BYTES && statSync(path).isFile());
    await writeFile(damaged!, randomBytes(CHUNK_BYTES));
    await rm(lost!);
    const { code, json } = await run('verify', pin.id);
    expect({ code, missing: json.missing.length, corrupt: json.corrupt.length }).toEqual({
      code: 1,
      missing: 1,
      corrupt: 1,
    });
    await expect.poll(async () => (await run('verify', pin.id)).code, { timeout: 60_000 }).toBe(0);
    expect((await run('gc', '--dry-run')).json).toMatchObject({ dryRun: true, removed: 0 });
    await run('rm', pin.id);
    await age(data);
    await host.stop();
    const again = await startProvider({ data });
    expect((await run('gc')).json).toMatchObject({ dryRun: false, removed: dag.blocks.length });
    await again.stop();
    expect(await missing(data, cidsOf(dag))).toHaveLength(dag.blocks.length);
  } finally {
    await host.stop();
  }
});

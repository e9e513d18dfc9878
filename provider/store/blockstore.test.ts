import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';
import { afterEach, describe, expect, test } from 'vitest';
import { openBlockstore } from './blockstore.ts';

const directories: string[] = [];

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-blocks-'));
  directories.push(directory);
  return directory;
}

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

async function makeBlock(size = 1000): Promise<{ cid: CID; bytes: Uint8Array }> {
  const bytes = new Uint8Array(randomBytes(size));
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes };
}

async function collect(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const collected: Uint8Array[] = [];
  for await (const part of parts) collected.push(part);
  return new Uint8Array(Buffer.concat(collected));
}

async function onlyFile(directory: string): Promise<string> {
  const [shard] = await readdir(directory);
  const [file] = await readdir(join(directory, shard!));
  return join(directory, shard!, file!);
}

describe.each([
  { name: 'in memory', open: () => openBlockstore() },
  { name: 'on disk', open: async () => openBlockstore(await makeDirectory()) },
])('a block store $name', ({ open }) => {
  test('gives back what was put, by every way of reading', async () => {
    const store = await open();
    const { cid, bytes } = await makeBlock();
    await store.put(cid, bytes);
    expect(await store.has(cid)).toBe(true);
    expect(await store.size(cid)).toBe(bytes.length);
    expect(new Uint8Array((await store.read(cid))!)).toEqual(bytes);
    expect(await collect(store.get(cid))).toEqual(bytes);
    for await (const pair of store.getMany([cid])) expect(await collect(pair.bytes)).toEqual(bytes);
  });

  test('takes a block with its buffer, and leaves alone a buffer that is not only the block', async () => {
    const store = await open();
    const { cid, bytes } = await makeBlock(100_000);
    const kept = bytes.slice();
    await store.take(cid, bytes);
    expect(await store.size(cid)).toBe(kept.length);
    expect(new Uint8Array((await store.read(cid))!)).toEqual(kept);
    const shared = new Uint8Array(64 * 1024).fill(7);
    const part = shared.subarray(100, 1100);
    const small = CID.createV1(raw.code, await sha256.digest(part));
    await store.take(small, part);
    expect(shared.every((byte) => byte === 7) && shared.length === 64 * 1024).toBe(true);
    expect(await store.size(small)).toBe(1000);
  });

  test('knows a block by its hash, under any codec and version', async () => {
    const store = await open();
    const { cid, bytes } = await makeBlock();
    await store.put(cid, bytes);
    expect(await store.has(CID.createV0(cid.multihash as Parameters<typeof CID.createV0>[0]))).toBe(true);
    expect(await store.size(CID.createV1(0x71, cid.multihash))).toBe(bytes.length);
  });

  test('says that it has not what it has not', async () => {
    const store = await open();
    const { cid } = await makeBlock();
    expect(await store.has(cid)).toBe(false);
    expect(await store.size(cid)).toBeUndefined();
    expect(await store.read(cid)).toBeUndefined();
    await expect(collect(store.get(cid))).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  test('takes bytes in pieces', async () => {
    const store = await open();
    const { cid, bytes } = await makeBlock();
    await store.put(cid, [bytes.subarray(0, 10), bytes.subarray(10)]);
    expect(await collect(store.get(cid))).toEqual(bytes);
  });

  test('forgets what is deleted, and takes it again', async () => {
    const store = await open();
    const { cid, bytes } = await makeBlock();
    await store.put(cid, bytes);
    await store.delete(cid);
    expect(await store.has(cid)).toBe(false);
    await store.put(cid, bytes);
    expect(await store.size(cid)).toBe(bytes.length);
  });

  test('lists every block once, with its bytes', async () => {
    const store = await open();
    const blocks = await Promise.all(Array.from({ length: 20 }, () => makeBlock(50)));
    for await (const cid of store.putMany(blocks)) expect(cid).toBeDefined();
    const listed = new Map<string, Uint8Array>();
    for await (const { cid, bytes } of store.getAll()) listed.set(cid.toString(), await collect(bytes));
    expect(listed).toEqual(new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes])));
  });

  test('answers with the blocks of another place as well, in every way, until that leaves', async () => {
    const store = await open();
    const [own, both, other] = await Promise.all([makeBlock(), makeBlock(), makeBlock()]);
    for (const { cid, bytes } of [own!, both!]) await store.put(cid, bytes);
    const source = await openBlockstore();
    for (const { cid, bytes } of [both!, other!]) await source.put(cid, bytes);
    const leave = store.join({
      size: (cid) => source.size(cid) as number | undefined,
      read: (cid) => source.read(cid) as Uint8Array | undefined,
      multihashes: () => [both!.cid.multihash, other!.cid.multihash],
    });
    const dagPb = CID.createV1(0x70, other!.cid.multihash);
    expect([await store.has(dagPb), await store.size(dagPb)]).toEqual([true, other!.bytes.length]);
    expect(await store.read(dagPb)).toEqual(other!.bytes);
    expect(await store.check(dagPb)).toEqual(other!.bytes);
    expect(await collect(store.get(dagPb))).toEqual(other!.bytes);
    const listed = new Map<string, Uint8Array>();
    for await (const { cid, bytes } of store.getAll()) listed.set(cid.toString(), await collect(bytes));
    expect(listed).toEqual(new Map([own!, both!, other!].map(({ cid, bytes }) => [cid.toString(), bytes])));
    // A block that is removed here is still there.
    await store.delete(both!.cid);
    expect(await store.read(both!.cid)).toEqual(both!.bytes);
    leave();
    expect(await store.read(other!.cid)).toBeUndefined();
    expect(await store.check(both!.cid)).toBe('missing');
  });

  test('holds an empty block', async () => {
    const store = await open();
    const { cid, bytes } = await makeBlock(0);
    await store.put(cid, bytes);
    expect(await store.size(cid)).toBe(0);
    expect(await store.read(cid)).toHaveLength(0);
  });

  test('survives many writers of the same block', async () => {
    const store = await open();
    const { cid, bytes } = await makeBlock(100_000);
    await Promise.all(Array.from({ length: 20 }, () => store.put(cid, bytes)));
    expect(new Uint8Array((await store.read(cid))!)).toEqual(bytes);
  });
});

test('blocks on disk are there for the next process', async () => {
  const directory = await makeDirectory();
  const { cid, bytes } = await makeBlock();
  await (await openBlockstore(directory)).put(cid, bytes);
  const again = await openBlockstore(directory);
  expect(await again.size(cid)).toBe(bytes.length);
  expect(new Uint8Array((await again.read(cid))!)).toEqual(bytes);
});

test.each(['truncated', 'emptied', 'altered'])(
  'a file that was %s is never served, and can be fetched anew',
  async (how) => {
    const directory = await makeDirectory();
    const { cid, bytes } = await makeBlock();
    await (await openBlockstore(directory)).put(cid, bytes);
    const file = await onlyFile(directory);
    if (how === 'truncated') await truncate(file, 500);
    if (how === 'emptied') await truncate(file, 0);
    if (how === 'altered') await writeFile(file, Uint8Array.from([1, ...bytes.subarray(1)].map((byte) => byte ^ 1)));
    const store = await openBlockstore(directory);
    expect(await store.read(cid)).toBeUndefined();
    await store.put(cid, bytes);
    expect(new Uint8Array((await store.read(cid))!)).toEqual(bytes);
    expect((await stat(file)).size).toBe(bytes.length);
  },
);

test('a process that is killed while it writes leaves whole blocks or none', async () => {
  const directory = await makeDirectory();
  const writer = join(import.meta.dirname, 'testing', 'endless-writer.ts');
  for (let round = 0; round < 3; round++) {
    const child = fork(writer, [directory], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const shard of await readdir(directory)) {
      for (const file of await readdir(join(directory, shard))) {
        if (file.startsWith('.')) continue;
        expect(await readFile(join(directory, shard, file))).toHaveLength(200_000);
      }
    }
  }
});

test('a store that cannot write says which block and where', async () => {
  const directory = await makeDirectory();
  const { cid, bytes } = await makeBlock();
  const store = await openBlockstore(directory);
  await rm(directory, { recursive: true });
  await writeFile(directory, 'in the way');
  await expect(store.put(cid, bytes)).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining(cid.toString()),
  });
});

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BlockWriter } from './block-writer.ts';

async function temporary(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'workswap-writer-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('hundreds of blocks are written at once, each whole and nothing else, and their memory is given back', async () => {
  const path = await temporary();
  const writer = new BlockWriter();
  const blocks = Array.from({ length: 300 }, (_, i) => new Uint8Array(1000 + i).fill(i));
  await Promise.all(blocks.map((bytes, i) => writer.write(join(path, String(i % 10), `block ${i}`), bytes)));
  expect(blocks.every(({ length }) => length === 0)).toBe(true);
  for (let i = 0; i < blocks.length; i++) {
    const bytes = await readFile(join(path, String(i % 10), `block ${i}`));
    expect(bytes.equals(Buffer.alloc(1000 + i, i))).toBe(true);
  }
  const names = await readdir(path, { recursive: true });
  expect(names).toHaveLength(blocks.length + 10);
});

test('a block that cannot be written is said to be not written, with the reason, and those beside it are', async () => {
  const path = await temporary();
  const writer = new BlockWriter();
  await writeFile(join(path, 'file'), '');
  await mkdir(join(path, 'taken'));
  const [good, below, over, last] = await Promise.allSettled(
    ['good', 'file/below', 'taken', 'last'].map((name) => writer.write(join(path, name), new Uint8Array(10_000))),
  );
  expect([good!.status, last!.status]).toEqual(['fulfilled', 'fulfilled']);
  expect(String((below as PromiseRejectedResult).reason)).toContain('ENOTDIR');
  expect(String((over as PromiseRejectedResult).reason)).toContain('EISDIR');
  expect((await readdir(path)).toSorted()).toEqual(['file', 'good', 'last', 'taken']);
});

test('when the thread is lost, what was under way fails and the next block is written', async () => {
  const path = await temporary();
  const writer = new BlockWriter();
  const bytes = new Uint8Array(10_000);
  // A buffer that moved away already cannot be sent.
  const twice = [writer.write(join(path, 'one'), bytes), writer.write(join(path, 'two'), bytes)];
  for (const { status } of await Promise.allSettled(twice)) expect(status).toBe('rejected');
  await writer.write(join(path, 'three'), new Uint8Array(10));
  expect(await readdir(path)).toEqual(['three']);
});

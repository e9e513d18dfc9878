import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildHandler } from './build.ts';
import { BuildCache, type Sources } from './cache.ts';

const WASM = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

let directory: string;
let author: string;
let builds: string;
let cache: BuildCache;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'workswap-builds-'));
  author = path.join(directory, 'project', 'index.ts');
  builds = path.join(directory, 'builds');
  cache = new BuildCache(builds);
  await mkdir(path.dirname(author));
  await write('index.ts', 'export * from "./other"');
  await write('other.ts', 'the other');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a build that is kept', () => {
  test('is found by the next process, and beside a copy of its sources', async () => {
    const key = await keep();
    expect(await new BuildCache(builds).get(key, author)).toEqual({ wasm: WASM, sourceMap: '{}' });

    const copy = path.join(directory, 'a copy', 'index.ts');
    await mkdir(path.dirname(copy));
    for (const name of ['index.ts', 'other.ts']) {
      await writeFile(path.join(path.dirname(copy), name), await readFile(path.join(directory, 'project', name)));
    }
    expect(await cache.get(key, copy)).toEqual({ wasm: WASM, sourceMap: '{}' });
  });

  test.each([
    ['a file that was read changed', () => write('other.ts', 'another')],
    ['a file that was read is gone', () => rm(path.join(directory, 'project/other.ts'))],
    ['a file that was looked for and missing is there', () => write('other/index.ts', '')],
    ['its bytes changed', () => corrupt((bytes) => bytes.fill(1, bytes.indexOf(WASM), bytes.indexOf(WASM) + 4))],
    ['it was cut short', () => corrupt((bytes) => bytes.subarray(0, -9))],
    ['it is something else', () => corrupt(() => Buffer.of(0x18))],
  ])('is made again when %s', async (_, change) => {
    const key = await keep();
    await change();
    expect(await cache.get(key, author)).toBeUndefined();
  });

  test('has another name for another text, another file and other options', async () => {
    const keys = await Promise.all([
      cache.keyOf('/a/index.ts', 'text', { names: true }),
      cache.keyOf('/b/index.ts', 'text', { names: true }),
      cache.keyOf('/a/other.ts', 'text', { names: true }),
      cache.keyOf('/a/index.ts', 'another', { names: true }),
      cache.keyOf('/a/index.ts', 'text', { names: false }),
    ]);
    expect(keys[1]).toBe(keys[0]);
    expect(new Set(keys).size).toBe(4);
  });

  test('goes when it was not used for longest and there are too many', async () => {
    const key = await keep();
    for (let i = 0; i < 505; i++) {
      const file = path.join(builds, `old-${i}`);
      await writeFile(file, '');
      await utimes(file, i, i);
    }
    await keep();
    expect(await cache.get(key, author)).toBeDefined();
    const names = await readdir(builds);
    expect(names.length).toBeLessThanOrEqual(500);
    expect(names).toContain('old-504');
    expect(names).not.toContain('old-0');
  });
});

test('without a directory that can be written, nothing is kept and nothing fails', async () => {
  await writeFile(builds, 'a file where the directory would be');
  expect(await cache.get(await keep(), author)).toBeUndefined();
});

test('a handler is built from its files as they are now', async () => {
  const handle = 'import { Request, Response } from "workswap";\nimport { WORD } from "./word";\n';
  await write('index.ts', `${handle}export function handle(req: Request): Response { return Response.text(WORD); }`);
  await write('word.ts', 'export const WORD = "first";');
  const first = await buildHandler(author);
  expect(await buildHandler(author)).toEqual(first);
  await write('word.ts', 'export const WORD = "second";');
  const second = await buildHandler(author);
  expect(Buffer.from(second.wasm).includes(Buffer.from('second', 'utf16le'))).toBe(true);
  expect(Buffer.from(first.wasm).includes(Buffer.from('first', 'utf16le'))).toBe(true);
});

test('an option without effect is told, also when the build without it is kept', async () => {
  const handle = 'import { Request, Response } from "workswap";\n';
  await write('index.ts', `${handle}export function handle(req: Request): Response { return Response.text("same"); }`);
  await write('asconfig.json', '{}');
  expect((await buildHandler(author)).diagnostics).toBe('');
  await write('asconfig.json', '{"options": {"importMemory": true}}');
  expect((await buildHandler(author)).diagnostics).toContain('"importMemory" has no effect');
});

async function keep(): Promise<string> {
  const sources: Sources = new Map([
    [author, 'export * from "./other"'],
    [path.join(directory, 'project/other.ts'), 'the other'],
    [path.join(directory, 'project/other/index.ts'), null],
  ]);
  const key = await cache.keyOf(author, 'export * from "./other"', {});
  await cache.put(key, author, sources, { wasm: WASM, sourceMap: '{}' });
  return key;
}

async function write(name: string, text: string): Promise<void> {
  const file = path.join(directory, 'project', name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function corrupt(change: (bytes: Buffer) => Uint8Array): Promise<void> {
  const [name = ''] = await readdir(builds);
  const file = path.join(builds, name);
  await writeFile(file, change(await readFile(file)));
}

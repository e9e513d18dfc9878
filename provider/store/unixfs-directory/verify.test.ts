import { encode as encodePb } from '@ipld/dag-pb';
import fc from 'fast-check';
import { UnixFS } from 'ipfs-unixfs';
import { importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { MemoryBlockstore } from 'blockstore-core';
import { expect, test } from 'vitest';
import { BASIC_BYTES_MAX } from './constants.ts';
import { keyOf, keyOfCid, type Key } from './keys.ts';
import { nameHash } from './names.ts';
import { decode, encode, type Link, type Node, type ShardNode } from './nodes.ts';
import { TestNodes } from './testing.ts';
import { verifyDirectory } from './verify.ts';

/** Goal: a state that a stranger made is either exactly what its files make, or refused. */
const limits = { nodesMax: 100_000, bytesMax: 1_000_000_000 };
const refused = (reason: string) => ({ code: 'DIRECTORY_MALFORMED', message: expect.stringContaining(reason) });

class Blocks {
  readonly blocks = new Map<Key, Uint8Array>();
  fetched = 0;

  raw(bytes: Uint8Array): Link {
    const key = keyOf('raw', bytes);
    this.blocks.set(key, bytes);
    return { name: '', key, tsize: bytes.length };
  }

  node(node: Node): Link {
    const { key, bytes, tsize } = encode(node);
    this.blocks.set(key, bytes);
    return { name: '', key, tsize };
  }

  directory(entries: Record<string, Link>): Link {
    const links = Object.entries(entries).map(([name, link]) => ({ ...link, name }));
    return this.node({ type: 'basic', links });
  }

  verify(root: Link, own = limits): Promise<void> {
    return verifyDirectory(root.key, (key) => this.fetch(key), own);
  }

  async fetch(key: Key): Promise<Uint8Array> {
    this.fetched += 1;
    const bytes = this.blocks.get(key);
    if (bytes === undefined) throw new Error('missing');
    return bytes;
  }
}

test('what was made here is taken, small and sharded', async () => {
  const nodes = new TestNodes();
  const names = Array.from({ length: 1_700 }, (_, i) => [`d/${'n'.repeat(120)}${i}`, Uint8Array.of(i)]);
  const written = { a: Uint8Array.of(1), 'b/c': new Uint8Array(3_000_000), ...Object.fromEntries(names) };
  for (const root of [nodes.empty(), await nodes.change(nodes.empty(), { written })]) {
    await verifyDirectory(root, async (key) => nodes.blocks.get(key)!, limits);
  }
});

test.each<[string, string, (blocks: Blocks, file: Link) => Link]>([
  ['an empty directory', 'the directory is empty', (blocks) => blocks.directory({ a: blocks.directory({}) })],
  [
    'a file as root',
    'it is a file',
    (blocks) =>
      blocks.node({
        type: 'file',
        size: 2 ** 21,
        chunks: ['a', 'b'].map(() => blocks.raw(new Uint8Array(2 ** 20)).key),
      }),
  ],
  ['names out of order', 'not in order', (blocks, file) => blocks.directory({ b: file, a: file })],
  ['a name with a slash', 'no "/"', (blocks, file) => blocks.directory({ 'a/b': file })],
  ['the name ..', '".."', (blocks, file) => blocks.directory({ '..': file })],
  ['a name with a NUL', 'NUL', (blocks, file) => blocks.directory({ 'a\0': file })],
  ['no name', 'empty', (blocks, file) => blocks.directory({ '': file })],
  ['a name that is too long', 'more than 255', (blocks, file) => blocks.directory({ ['ä'.repeat(128)]: file })],
  ['a size that is not true', 'its parent says 7', (blocks, file) => blocks.directory({ a: { ...file, tsize: 7 } })],
  [
    'a block that is too large',
    'has 1048577 bytes',
    (blocks) => blocks.directory({ a: blocks.raw(new Uint8Array(2 ** 20 + 1)) }),
  ],
  ['shards for a few files', 'is not a shard node', (blocks, file) => shardOf(blocks, ['a', 'b'], file)],
  [
    'a file in the wrong slot',
    'another slot',
    (blocks, file) =>
      blocks.node({ type: 'shard', slots: Uint8Array.of(nameHash('a')[0]! ^ 1), links: [{ ...file, name: 'a' }] }),
  ],
  ['33 directories in each other', 'a path has 33 segments', (blocks, file) => nested(blocks, file, 32)],
  ['100,000 directories in each other', 'nested too deep', (blocks, file) => nested(blocks, file, 100_000)],
  ['a path that is too long', 'a path has', (blocks, file) => nested(blocks, file, 8, 'n'.repeat(200))],
])('%s: refused', async (_, reason, make) => {
  const blocks = new Blocks();
  await expect(blocks.verify(make(blocks, blocks.raw(Uint8Array.of(1))))).rejects.toMatchObject(refused(reason));
});

function shardOf(blocks: Blocks, names: string[], file: Link): Link {
  const placed = names
    .map((name) => ({ slot: nameHash(name)[0]!, link: { ...file, name } }))
    .sort((a, b) => a.slot - b.slot);
  return blocks.node({
    type: 'shard',
    slots: Uint8Array.from(placed, ({ slot }) => slot),
    links: placed.map(({ link }) => link),
  });
}

function nested(blocks: Blocks, file: Link, depth: number, name = 'a'): Link {
  let link = file;
  for (let i = 0; i <= depth; i++) link = blocks.directory({ [name]: link });
  return link;
}

test('one block where there should be shards, and a lonely entry in a shard of its own, are refused', async () => {
  const blocks = new Blocks();
  const file = blocks.raw(Uint8Array.of(1));
  const names = Array.from({ length: 1_700 }, (_, i) => `${'n'.repeat(120)}${String(i).padStart(5, '0')}`);
  const flat = blocks.directory(Object.fromEntries(names.map((name) => [name, file])));
  await expect(blocks.verify(flat)).rejects.toMatchObject(refused(`more than ${BASIC_BYTES_MAX}`));
  const nodes = new TestNodes();
  const root = await nodes.change(nodes.empty(), {
    written: Object.fromEntries(names.map((name) => [name, Uint8Array.of(1)])),
  });
  for (const [key, bytes] of nodes.blocks) blocks.blocks.set(key, bytes);
  const shard = (key: Key) => decode(key, nodes.blocks.get(key)!) as ShardNode;
  const top = shard(root);
  const below = shard(top.links[0]!.key);
  const links = [...below.links];
  const at = links.findIndex(({ name }) => name !== '');
  const slots = Uint8Array.of(nameHash(links[at]!.name)[2]!);
  links[at] = blocks.node({ type: 'shard', slots, links: [links[at]!] });
  const changed = [blocks.node({ ...below, links }), ...top.links.slice(1)];
  await expect(blocks.verify(blocks.node({ ...top, links: changed }))).rejects.toMatchObject(refused('two entries'));
});

test('other ways to write the same files are refused: old CIDs, other chunks, modes, fields in another order', async () => {
  const source = [{ path: 'a/b', content: new Uint8Array(1_500_000) }];
  const chunker = fixedSize({ chunkSize: 1024 * 1024 });
  const options = [
    { profile: 'unixfs-v0-2015' },
    { chunker: fixedSize({ chunkSize: 256 * 1024 }), rawLeaves: true },
    { chunker, rawLeaves: true, fieldOrder: 'data-first' },
    { chunker, rawLeaves: false },
  ] as const;
  for (const option of options) {
    const store = new MemoryBlockstore();
    let root: Key = '';
    for await (const { cid } of importer(source, store, { ...option, wrapWithDirectory: true })) root = keyOfCid(cid);
    const blocks = new Map<Key, Uint8Array>();
    for await (const { cid, bytes } of store.getAll()) {
      for await (const part of bytes)
        for (const code of ['\x55', '\x70']) blocks.set(`\x01${code}${keyOfCid(cid).slice(2)}`, part);
    }
    if (root.length !== 36) root = `\x01\x70${root}`;
    await expect(verifyDirectory(root, async (key) => blocks.get(key)!, limits)).rejects.toMatchObject({
      code: 'DIRECTORY_MALFORMED',
    });
  }
  const data = new UnixFS({ type: 'directory', mode: 0o700 }).marshal();
  const bytes = encodePb({ Data: data, Links: [] });
  await expect(verifyDirectory(keyOf('node', bytes), async () => bytes, limits)).rejects.toMatchObject(
    refused('not written as'),
  );
});

test('a small DAG that unfolds into a billion files is checked once for each block', async () => {
  const blocks = new Blocks();
  let link = blocks.raw(Uint8Array.of(1));
  for (let i = 0; i < 30; i++) link = blocks.directory({ a: link, b: link });
  await blocks.verify(link);
  expect(blocks.fetched).toBe(31);
});

test('more blocks or bytes than the limits are refused', async () => {
  const blocks = new Blocks();
  const files = Array.from({ length: 50 }, (_, i) => [`f${10 + i}`, blocks.raw(new Uint8Array(100).fill(i))] as const);
  const root = blocks.directory(Object.fromEntries(files));
  await blocks.verify(root);
  await expect(blocks.verify(root, { ...limits, nodesMax: 50 })).rejects.toMatchObject({ code: 'DIRECTORY_TOO_LARGE' });
  await expect(blocks.verify(root, { ...limits, bytesMax: 5_000 })).rejects.toMatchObject({
    code: 'DIRECTORY_TOO_LARGE',
  });
});

test('a node with any byte changed, cut or added is refused, and never anything but an error', () => {
  const blocks = new Blocks();
  const file = blocks.raw(Uint8Array.of(1));
  const samples: Node[] = [
    { type: 'basic', links: ['a', 'b', 'ä'].map((name) => ({ ...file, name })) },
    {
      type: 'shard',
      slots: Uint8Array.of(3, 200),
      links: [{ ...file, name: 'a' }, blocks.node({ type: 'basic', links: [] })],
    },
    { type: 'file', size: 2 ** 20 + 1, chunks: [file.key, file.key] },
  ];
  const bytesOf = samples.map((node) => encode(node).bytes);
  fc.assert(
    fc.property(fc.nat(2), fc.nat(400), fc.nat(255), fc.constantFrom('set', 'cut', 'add'), (i, at, value, how) => {
      const original = bytesOf[i]!;
      let changed = original.slice(0, how === 'cut' ? at : undefined);
      if (how === 'set') changed[at % original.length] = value;
      if (how === 'add') changed = Buffer.concat([changed, Uint8Array.of(value)]);
      try {
        // What is read has this one encoding.
        const key = keyOf('node', changed);
        expect(encode(decode(key, changed)).key).toBe(key);
      } catch (error) {
        expect(error).toMatchObject({ code: 'DIRECTORY_MALFORMED' });
      }
    }),
    { numRuns: 2_000 },
  );
});

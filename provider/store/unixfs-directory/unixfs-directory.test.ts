import { MemoryBlockstore } from 'blockstore-core';
import fc from 'fast-check';
import { exporter, recursive } from 'ipfs-unixfs-exporter';
import { importer } from 'ipfs-unixfs-importer';
import { expect, test } from 'vitest';
import { applyChanges } from './apply.ts';
import { FILE_BYTES_MAX } from './constants.ts';
import { cidOfKey, type Key } from './keys.ts';
import { whenLoaded } from './loading.ts';
import { compareNames } from './names.ts';
import { changeFiles, TestNodes, toTree, type Changes } from './testing.ts';
import { find, list } from './tree.ts';

/**
 * Goal: the root of a directory depends on its files only, and is what other IPFS software makes of them. Method: random
 * changes one after the other, against the importer of the IPFS JavaScript libraries with the same profile, from nothing.
 */
async function importedRoot(files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const source = Array.from(files, ([path, content]) => ({ path, content }));
  if (source.length === 0) return 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354';
  let root = '';
  const options = { profile: 'unixfs-v1-2025', wrapWithDirectory: true } as const;
  for await (const { cid } of importer(source, new MemoryBlockstore(), options)) root = cid.toString();
  return root;
}

async function exported(nodes: TestNodes, root: Key): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const store = nodes.blockstore as never;
  for await (const entry of recursive(cidOfKey(root), store)) {
    const file = await exporter(entry.cid, store);
    if (file.type === 'directory') continue;
    const parts: Uint8Array[] = [];
    if (file.type === 'file' || file.type === 'raw') for await (const part of file.content()) parts.push(part);
    files.set(entry.path.slice(entry.path.indexOf('/') + 1), Buffer.concat(parts));
  }
  return files;
}

const segment = fc.constantFrom('a', 'b', 'c', 'ä', '\u{1f600}', '\uffee', 'a.b', '~', ' ');
const paths = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
const contents = fc.uint8Array({ maxLength: 4 });
const changes: fc.Arbitrary<Changes> = fc.record({
  removed: fc.array(paths, { maxLength: 4 }),
  written: fc.dictionary(paths, contents, { maxKeys: 5 }),
});

test('any changes give the root that an importer makes of the same files, which an exporter reads', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { maxLength: 6 }), fc.boolean(), async (steps, isForgetful) => {
      const nodes = new TestNodes(isForgetful);
      const files = new Map<string, Uint8Array>();
      let root = nodes.empty();
      for (const step of [...steps, { written: { a: Uint8Array.of(1) } }]) {
        root = await nodes.change(root, step);
        changeFiles(files, step);
        expect(cidOfKey(root).toString()).toBe(await importedRoot(files));
      }
      const read = await exported(nodes, root);
      expect([...read].sort()).toEqual([...files].map(([path, bytes]) => [path, Buffer.from(bytes)]).sort());
    }),
    { numRuns: 150 },
  );
});

/** 1,300 of these are one block, 1,500 are shards. */
const longName = (i: number): string => `${'n'.repeat(120)}${i}`;

test('a directory grows into shards and back, with the same root on every way', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ from: fc.nat(1_900), count: fc.integer({ min: 1, max: 1_200 }), isRemoval: fc.boolean() }), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.boolean(),
      async (steps, isForgetful) => {
        const nodes = new TestNodes(isForgetful);
        const files = new Map<string, Uint8Array>();
        let root = nodes.empty();
        const all = [{ from: 0, count: 1_400, isRemoval: false }, ...steps];
        for (const { from, count, isRemoval } of all) {
          const names = Array.from({ length: count }, (_, i) => `d/${longName(from + i)}`);
          const step: Changes = isRemoval
            ? { removed: names }
            : { written: Object.fromEntries(names.map((name) => [name, Uint8Array.of(from)])) };
          root = await nodes.change(root, step);
          changeFiles(files, step);
        }
        expect(cidOfKey(root).toString()).toBe(await importedRoot(files));
      },
    ),
    { numRuns: 8 },
  );
});

test('10,000 files with short names are what an importer makes of them, and are listed in order', async () => {
  const nodes = new TestNodes();
  const written = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, Uint8Array.of(i, i >> 8)]));
  let root = await nodes.change(nodes.empty(), { written });
  expect(cidOfKey(root).toString()).toBe(await importedRoot(new Map(Object.entries(written))));
  const names = Object.keys(written).sort(compareNames);
  expect(await listed(nodes, root, undefined, '')).toEqual({ names, total: 10_000 });
  // The list of the next root is made from this one.
  root = await nodes.change(root, { removed: ['f17'], written: { f0a: Uint8Array.of(1) } });
  const changed = [...names.filter((name) => name !== 'f17'), 'f0a'].sort(compareNames);
  expect(nodes.listing(root)?.total).toBe(10_000);
  expect(await listed(nodes, root, undefined, '')).toEqual({ names: changed, total: 10_000 });
  expect((await listed(nodes, root, undefined, 'f500')).names[0]).toBe('f5000');
  // Of the same size and of another, in shards that stay as they are otherwise.
  const again = { f1: Uint8Array.of(7, 7), f2: new Uint8Array(127), f3: new Uint8Array(128), f4: Uint8Array.of() };
  root = await nodes.change(root, { written: again });
  const { f17: _, ...rest } = written;
  const files = { ...rest, f0a: Uint8Array.of(1), ...again };
  expect(cidOfKey(root).toString()).toBe(await importedRoot(new Map(Object.entries(files))));
});

test.each([0, 1, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024, FILE_BYTES_MAX])(
  'a file of %i bytes is chunked as the profile says',
  async (size) => {
    const nodes = new TestNodes();
    const bytes = new Uint8Array(size).map((_, i) => (i * 31) >> 7);
    const root = await nodes.change(nodes.empty(), { written: { 'a/file': bytes } });
    expect(cidOfKey(root).toString()).toBe(await importedRoot(new Map([['a/file', bytes]])));
    const found = await whenLoaded(nodes, (all) => find(all, root, undefined, 'a/file'), undefined);
    expect(found).toMatchObject({ kind: 'file', size });
  },
);

test('what was written below a file hides it, also when it was removed again', async () => {
  const nodes = new TestNodes();
  const base = await nodes.change(nodes.empty(), { written: { 'a.b': Uint8Array.of(1) } });
  const tree = toTree({ written: { 'a.b/c': Uint8Array.of(2) } });
  toTree({ removed: ['a.b/c'] }, tree);
  expect(await whenLoaded(nodes, (all) => find(all, base, tree, 'a.b'), undefined)).toBeUndefined();
  const applied = await whenLoaded(nodes, (all) => applyChanges(all, base, tree), undefined);
  expect(applied.root).toBe(nodes.empty());
});

test('changes on top of a root look exactly like the root that they lead to', async () => {
  await fc.assert(
    fc.asyncProperty(changes, fc.array(changes, { maxLength: 3 }), fc.array(paths), async (first, rest, looked) => {
      const nodes = new TestNodes();
      const base = await nodes.change(nodes.empty(), first);
      const tree = toTree({});
      let root = base;
      for (const step of rest) {
        toTree(step, tree);
        root = await nodes.change(root, step);
      }
      const directories = ['', ...looked, ...looked.flatMap((path) => path.split('/').slice(0, 1))];
      for (const path of directories) {
        const onTop = await whenLoaded(nodes, (all) => find(all, base, tree, path), undefined);
        const applied = await whenLoaded(nodes, (all) => find(all, root, undefined, path), undefined);
        expect({ kind: onTop?.kind, size: onTop?.size }).toEqual({ kind: applied?.kind, size: applied?.size });
        if (onTop?.kind !== 'directory' || applied?.kind !== 'directory') continue;
        for (const after of ['', 'a', 'b', '\uffee']) {
          for (const limit of [1, 3, 100]) {
            const one = await whenLoaded(nodes, (all) => list(all, onTop, after, limit), undefined);
            expect(one).toEqual(await whenLoaded(nodes, (all) => list(all, applied, after, limit), undefined));
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});

async function listed(nodes: TestNodes, root: Key, changed: undefined, after: string) {
  const page = await whenLoaded(
    nodes,
    (all) => {
      const found = find(all, root, changed, '');
      return found?.kind === 'directory' ? list(all, found, after, 100_000) : undefined;
    },
    undefined,
  );
  return { names: page!.entries.map(({ name }) => name), total: page!.total };
}

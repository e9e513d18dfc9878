import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import * as Digest from 'multiformats/hashes/digest';
import { expect, test } from 'vitest';
import { dagCborCid, rawCid } from '../../sdk/protocol/index.ts';
import { DigestSet } from './digest-set.ts';
import { linksOf } from './links.ts';
import { walkDag } from './walk-dag.ts';

/** Blocks in layers: each links to some of the layer below, as often as it likes. */
function makeDag(layers: number[][][]): { root: CID; blocks: Map<string, Uint8Array> } {
  const blocks = new Map<string, Uint8Array>();
  const add = (value: unknown): CID => {
    const bytes = dagCbor.encode(value);
    const cid = dagCborCid(bytes);
    blocks.set(cid.toString(), bytes);
    return cid;
  };
  let below = [add('leaf 0'), add('leaf 1'), add('leaf 2')];
  for (const [depth, layer] of layers.entries()) {
    below = layer.map((links, i) => add({ depth, i, links: links.map((link) => below[link % below.length]!) }));
  }
  return { root: add({ top: below }), blocks };
}

const layer = fc.array(fc.array(fc.nat(20), { maxLength: 6 }), { minLength: 1, maxLength: 6 });

test('every block below the root is visited once, whatever links to what', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(layer, { maxLength: 8 }), fc.integer({ min: 1, max: 8 }), async (layers, parallel) => {
      const { root, blocks } = makeDag(layers);
      const expected = new Set<string>();
      const collect = (cid: CID): void => {
        if (expected.has(cid.toString())) return;
        expected.add(cid.toString());
        for (const link of linksOf(cid, blocks.get(cid.toString())!)) collect(link);
      };
      collect(root);
      const visited: string[] = [];
      let running = 0;
      await walkDag([root], {
        parallel: () => parallel,
        async visit(cid) {
          expect(++running).toBeLessThanOrEqual(parallel);
          await Promise.resolve();
          running--;
          visited.push(cid.toString());
          return linksOf(cid, blocks.get(cid.toString())!);
        },
      });
      expect(visited.toSorted()).toEqual([...expected].toSorted());
    }),
  );
});

test('a hundred layers that each link twice to the next are a hundred blocks, not 2^100', async () => {
  const { root } = makeDag([]);
  let top = root;
  const blocks = new Map<string, Uint8Array>();
  for (let i = 0; i < 100; i++) {
    const bytes = dagCbor.encode([top, top]);
    top = dagCborCid(bytes);
    blocks.set(top.toString(), bytes);
  }
  let visits = 0;
  await walkDag([top], {
    parallel: () => 4,
    async visit(cid) {
      visits++;
      const bytes = blocks.get(cid.toString());
      return bytes === undefined ? [] : linksOf(cid, bytes);
    },
  });
  expect(visits).toBe(101);
});

test('a walk holds some bytes for each block that it has seen, and nothing of the blocks', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const cidOf = (code: number, number: number): CID => {
    const digest = Buffer.alloc(32);
    digest.writeUInt32LE(number, 16);
    return CID.createV1(code, Digest.create(0x12, digest));
  };
  const NODES = 200;
  const LEAVES = 1000;
  let visits = 0;
  let before = 0;
  let after = 0;
  await walkDag([cidOf(dagCbor.code, NODES)], {
    parallel: () => 64,
    async visit({ code, multihash: { digest } }) {
      visits++;
      if (visits === 10_000) before = held();
      if (visits === NODES * LEAVES) after = held();
      if (code === raw.code) return [];
      const number = Buffer.from(digest).readUInt32LE(16);
      return number === NODES
        ? Array.from({ length: NODES }, (_, i) => cidOf(dagCbor.code, i))
        : Array.from({ length: LEAVES }, (_, i) => cidOf(raw.code, 1_000_000 + number * LEAVES + i));
    },
  });
  expect(visits).toBe(1 + NODES + NODES * LEAVES);
  // As a Set of strings they would be 30 MB, as CIDs 100.
  expect(after - before).toBeLessThan(15_000_000);
});

test('an error or an abort ends the walk, and nothing is visited after it', async () => {
  const { root, blocks } = makeDag([[[0, 1, 2]], [[0], [0]]]);
  const stop = new AbortController();
  let visits = 0;
  const visit = async (cid: CID): Promise<CID[]> => {
    if (++visits === 2) stop.abort(new Error('enough'));
    return linksOf(cid, blocks.get(cid.toString())!);
  };
  await expect(walkDag([root], { parallel: () => 1, visit, signal: stop.signal })).rejects.toThrow('enough');
  expect(visits).toBe(2);
  const fails = walkDag([root], { parallel: () => 1, visit: () => Promise.reject(new Error('no such block')) });
  await expect(fails).rejects.toThrow('no such block');
});

test('a set of digests holds what was added and nothing else, also as it grows', () => {
  const set = new DigestSet();
  const cids = Array.from({ length: 20_000 }, (_, i) => rawCid(Buffer.from(String(i))));
  for (const { multihash } of cids.slice(0, 10_000)) expect(set.add(multihash)).toBe(true);
  for (const [i, { multihash }] of cids.entries()) expect(set.has(multihash)).toBe(i < 10_000);
  expect(set.add(cids[0]!.multihash)).toBe(false);
  expect(set.add(cids[0]!.multihash, 0x70)).toBe(true);
  expect(set.size).toBe(10_001);
});

test('digests that somebody has chosen to be alike are as quick to keep as any', () => {
  for (const at of [0, 4, 8, 12]) {
    const set = new DigestSet();
    const digest = (i: number) => {
      const bytes = Buffer.alloc(32);
      bytes.writeUInt32LE(i, 16 + at);
      return Digest.create(0x12, bytes);
    };
    // Where all begin at one place, this takes 10^10 steps.
    for (let i = 0; i < 150_000; i++) set.add(digest(2 * i));
    expect(set.size).toBe(150_000);
    expect(set.has(digest(1))).toBe(at === 12);
  }
});

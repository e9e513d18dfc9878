import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import type { CID } from 'multiformats/cid';
import { expect, onTestFinished, test } from 'vitest';
import { dagCborCid, rawCid } from '../../sdk/protocol/index.ts';
import { openBlockstore } from './blockstore.ts';
import type { CollectableBlocks } from './blockstore-types.ts';
import { collectGarbage } from './collect-garbage.ts';
import { linksOf } from './links.ts';

const OLD = new Date(Date.now() - 3_600_000);

async function temporary(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'workswap-collect-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Every file as if it had come an hour ago, and a store that knows nothing of it. */
async function aged(path: string): Promise<CollectableBlocks> {
  for (const directory of await readdir(path)) {
    for (const file of await readdir(join(path, directory))) await utimes(join(path, directory, file), OLD, OLD);
  }
  return (await openBlockstore(path)) as CollectableBlocks;
}

interface Made {
  cids: CID[];
  bytes: Map<string, Uint8Array>;
}

/** Each block links to some of those before it. */
function make(shape: number[][], salt: string): Made {
  const cids: CID[] = [];
  const bytes = new Map<string, Uint8Array>();
  for (const [i, links] of shape.entries()) {
    const isLeaf = i % 3 === 0;
    const block = isLeaf
      ? Buffer.from(`${salt} ${i}`)
      : dagCbor.encode({ salt, i, links: links.map((link) => cids[link % i]!) });
    const cid = isLeaf ? rawCid(block) : dagCborCid(block);
    cids.push(cid);
    bytes.set(cid.toString(), block);
  }
  return { cids, bytes };
}

function below(root: CID, bytes: Map<string, Uint8Array>, found = new Set<string>()): Set<string> {
  if (found.has(root.toString())) return found;
  found.add(root.toString());
  for (const link of linksOf(root, bytes.get(root.toString())!)) below(link, bytes, found);
  return found;
}

const shape = fc.array(fc.array(fc.nat(1000), { maxLength: 4 }), { minLength: 1, maxLength: 40 });

test('what a root reaches stays, what was put, read or looked for meanwhile stays, everything else old goes', async () => {
  const path = await temporary();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      shape,
      fc.array(fc.nat(1000), { maxLength: 4 }),
      fc.array(fc.nat(1000), { maxLength: 6 }),
      fc.boolean(),
      async (links, roots, uses, dryRun) => {
        const directory = join(path, String(run++));
        const before = await openBlockstore(directory);
        const { cids, bytes } = make(links, String(run));
        for (const cid of cids) await before.put(cid, bytes.get(cid.toString())!);
        const blocks = await aged(directory);
        const rooted = roots.map((root) => cids[root % cids.length]!);
        const used = uses.map((use) => cids[use % cids.length]!);
        const collecting = collectGarbage({
          blocks,
          freshMs: 60_000,
          dryRun,
          async *roots() {
            yield* rooted;
            // After it has begun, as others do at any time.
            for (const [i, cid] of used.entries()) {
              if (i % 3 === 0) await blocks.put(cid, bytes.get(cid.toString())!);
              else if (i % 3 === 1) await blocks.read(cid);
              else await blocks.size(cid);
            }
          },
        });
        const { kept, removed } = await collecting;
        const stays = new Set(used.map(String));
        for (const root of rooted) for (const one of below(root, bytes)) stays.add(one);
        const distinct = new Set(cids.map(String));
        expect({ kept, removed }).toEqual({ kept: stays.size, removed: distinct.size - stays.size });
        for (const cid of cids) expect(await blocks.has(cid)).toBe(dryRun || stays.has(cid.toString()));
      },
    ),
    { numRuns: 40 },
  );
});

test('what is young stays, and an old block that is put again is young', async () => {
  const path = await temporary();
  const before = await openBlockstore(path);
  const [old, again, other] = ['old', 'again', 'other'].map((text) => Buffer.from(text));
  for (const bytes of [old!, again!, other!]) await before.put(rawCid(bytes), bytes);
  const blocks = await aged(path);
  // It is known to be here, and old: nothing is written, its file is touched.
  await blocks.read(rawCid(again!));
  await blocks.put(rawCid(again!), again!);
  const fresh = Buffer.from('fresh');
  await blocks.put(rawCid(fresh), fresh);
  const none = { blocks, roots: () => [], freshMs: 60_000 };
  expect(await collectGarbage(none)).toMatchObject({ kept: 2, removed: 2, removedBytes: old!.length + other!.length });
  // Also for a process that knows nothing of it.
  const reopened = (await openBlockstore(path)) as CollectableBlocks;
  expect(await collectGarbage({ ...none, blocks: reopened })).toMatchObject({ kept: 2, removed: 0 });
});

import { hash } from 'node:crypto';
import { encode } from '@ipld/dag-pb';
import { MemoryBlockstore } from 'blockstore-core';
import fc from 'fast-check';
import { UnixFS } from 'ipfs-unixfs';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { importer } from 'ipfs-unixfs-importer';
import { balanced, trickle } from 'ipfs-unixfs-importer/layout';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { describe, expect, test } from 'vitest';
import { openFile, type GetBlock } from './files.ts';

const CONTENT = new Uint8Array(20_000).map((_, i) => (i * 7) >> 3);

async function fileOf(options: object): Promise<{ cid: CID; getBlock: GetBlock; asked: CID[] }> {
  const store = new MemoryBlockstore();
  const asked: CID[] = [];
  let cid: CID | undefined;
  for await (const entry of importer([{ content: CONTENT }], store, options)) cid = entry.cid;
  const getBlock: GetBlock = async (block) => {
    asked.push(block);
    for await (const bytes of store.get(block)) return bytes;
    throw new Error('missing');
  };
  return { cid: cid as CID, getBlock, asked };
}

describe('a file', () => {
  test.each([
    ['of one raw block', { rawLeaves: true }],
    ['of one node', { rawLeaves: false, cidVersion: 0 }],
    [
      'of many levels',
      { chunker: fixedSize({ chunkSize: 100 }), layout: balanced({ maxChildrenPerNode: 3 }), rawLeaves: true },
    ],
    [
      'with UnixFS leaves',
      { chunker: fixedSize({ chunkSize: 130 }), layout: balanced({ maxChildrenPerNode: 4 }), rawLeaves: false },
    ],
    [
      'in trickle layout',
      { chunker: fixedSize({ chunkSize: 500 }), layout: trickle({ maxChildrenPerNode: 3, layerRepeat: 2 }) },
    ],
  ])('%s gives every range as it is', async (_, options) => {
    const { cid, getBlock } = await fileOf(options);
    const file = await openFile(cid, getBlock);
    expect(file.size).toBe(CONTENT.length);
    await fc.assert(
      fc.asyncProperty(fc.nat(25_000), fc.nat(25_000), async (offset, length) => {
        expect(Buffer.compare(await file.read(offset, length), CONTENT.subarray(offset, offset + length))).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test('is read without touching blocks outside the range', async () => {
    const { cid, getBlock, asked } = await fileOf({ chunker: fixedSize({ chunkSize: 1000 }), rawLeaves: true });
    const file = await openFile(cid, getBlock);
    await file.read(5500, 1000);
    expect(asked).toHaveLength(3);
  });

  test('inside its own CID needs no block', async () => {
    const cid = CID.createV1(0x55, Digest.create(0, Buffer.from('inline')));
    const file = await openFile(cid, () => Promise.reject(new Error('not asked')));
    expect(Buffer.from(await file.read(2, 10)).toString()).toBe('line');
  });
});

describe('what strangers make of files', () => {
  const blocks = new Map<string, Uint8Array>();
  const put = (node: {
    type?: 'file' | 'directory' | 'symlink';
    data?: Uint8Array;
    sizes?: bigint[];
    links?: CID[];
  }): CID => {
    const { type = 'file', data, sizes = [], links = [] } = node;
    const file = new UnixFS({ type, blockSizes: sizes, ...(data && { data }) });
    const bytes = encode({ Data: file.marshal(), Links: links.map((Hash) => ({ Name: '', Tsize: 0, Hash })) });
    const cid = CID.createV1(0x70, Digest.create(0x12, hash('sha256', bytes, 'buffer')));
    blocks.set(cid.toString(), bytes);
    return cid;
  };
  let fetched = 0;
  const getBlock: GetBlock = async (cid) => {
    fetched += 1;
    const bytes = blocks.get(cid.toString());
    if (bytes === undefined) throw new Error('nobody has it');
    return bytes;
  };
  const read = async (cid: CID): Promise<Uint8Array> => {
    const file = await openFile(cid, getBlock);
    return file.read(0, file.size);
  };
  const leaf = put({ data: Buffer.from('ab') });

  test.each<[string, CID]>([
    ['a directory', put({ type: 'directory' })],
    ['a symlink', put({ type: 'symlink', data: Buffer.from('/etc') })],
    ['a child of another size', put({ sizes: [3n], links: [leaf] })],
    ['links without sizes', put({ sizes: [], links: [leaf] })],
    ['a size beyond all numbers', put({ sizes: [2n ** 63n], links: [leaf] })],
    ['a directory as a child', put({ sizes: [2n], links: [put({ type: 'directory', data: Buffer.from('xx') })] })],
    ['a child of another codec', put({ sizes: [2n], links: [CID.createV1(0x71, leaf.multihash)] })],
  ])('%s is not a file', async (_, cid) => {
    await expect(read(cid)).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  test('a node that is no UnixFS is not a file', async () => {
    const bytes = Buffer.from('something else');
    const cid = CID.createV1(0x70, Digest.create(0x12, hash('sha256', bytes, 'buffer')));
    blocks.set(cid.toString(), bytes);
    await expect(read(cid)).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  test('empty children, however many they pretend to be, are not looked at', async () => {
    let child = put({});
    for (let level = 0; level < 10; level++) {
      child = put({ sizes: Array.from({ length: 100 }, () => 0n), links: Array.from({ length: 100 }, () => child) });
    }
    fetched = 0;
    expect(await read(put({ sizes: [0n, 2n], links: [child, leaf] }))).toHaveLength(2);
    expect(fetched).toBe(2);
  });

  test('a chain without end is cut', async () => {
    let child = leaf;
    for (let level = 0; level < 30; level++) child = put({ sizes: [2n], links: [child] });
    await expect(read(child)).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  test('one byte a block is not read for ever', async () => {
    const byte = put({ data: Buffer.from('a') });
    const wide = (child: CID, size: bigint): CID =>
      put({ sizes: Array.from({ length: 200 }, () => size), links: Array.from({ length: 200 }, () => child) });
    await expect(read(wide(wide(byte, 1n), 200n))).rejects.toThrow(/too small/);
  });

  test('a block that is missing three levels down is an error of this read, and of nothing else', async () => {
    const missing = CID.createV1(0x55, Digest.create(0x12, new Uint8Array(32)));
    const inner = put({ sizes: [2n, 2n, 2n], links: [leaf, missing, missing] });
    const root = put({ sizes: [6n, 6n], links: [inner, inner] });
    await expect(read(root)).rejects.toThrow('nobody has it');
  });
});

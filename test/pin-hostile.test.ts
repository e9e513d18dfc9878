import { createHash } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import * as dagJson from '@ipld/dag-json';
import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { expect, it } from 'vitest';
import { DagTooWideError, walkDag } from '../provider/store/index.ts';
import { dagCborCid, rawCid } from '../sdk/protocol/index.ts';
import type { Provider } from '../provider/provider.ts';
import { consumer, directory, provider } from './fixtures.ts';
import { pinWhen, putAll } from './pin-scene.ts';

type Block = { cid: CID; bytes: Uint8Array };

const node = (value: unknown): Block => {
  const bytes = dagCbor.encode(value);
  return { cid: dagCborCid(bytes), bytes };
};
const sha256 = (bytes: Uint8Array) => Digest.create(0x12, createHash('sha256').update(bytes).digest());

/** A provider on a disk, and a peer that serves these blocks; the pin of the first, once it is decided. */
async function pinned(blocks: Block[], limits: object = {}) {
  const host = await provider({ dataDir: await directory(), config: { pinning: limits } });
  const holder = await consumer();
  await putAll(holder.blockstore, blocks);
  await holder.connect(host.addrs);
  const pin = addTo(host, blocks[0]!.cid);
  return { host, pin: await pinWhen(host, pin, ({ status }) => status === 'pinned' || status === 'failed') };
}

function addTo(host: Provider, root: CID) {
  return host.pinning.add(host.peerId.toString(), { cid: root.toString(), origins: [], meta: {} });
}

it('a DAG that looks endless, each block twice in the one above, is as many blocks as it has', async () => {
  let top = node('bottom');
  const blocks = [top];
  for (let i = 0; i < 200; i++) {
    top = node([top.cid, top.cid, { again: top.cid }]);
    blocks.unshift(top);
  }
  const { pin } = await pinned(blocks);
  expect(pin).toMatchObject({ status: 'pinned', blocks: 201 });
});

it('a block that is not what its codec says, a codec or a hash that nobody knows: the pin says so and is not tried again', async () => {
  const junk = Buffer.from('\xff\xff not dag-pb', 'latin1');
  const malformed = CID.createV1(dagPb.code, sha256(junk));
  const other = await pinned([node([malformed]), { cid: malformed, bytes: junk }]);
  expect(other.pin).toMatchObject({ status: 'failed', error: { code: 'BLOCK_MALFORMED' } });
  expect(other.pin.nextMs).toBeUndefined();
  const bytes = Buffer.from('{}');
  const unknown = await pinned([node([CID.createV1(0x85, sha256(bytes))])]);
  expect(unknown.pin).toMatchObject({ status: 'failed', error: { code: 'CODEC_UNKNOWN' } });
  expect(unknown.pin.nextMs).toBeUndefined();
  const unhashed = CID.createV1(0x55, Digest.create(0x3333, Buffer.alloc(2000, 1)));
  const { pin } = await pinned([node([unhashed])]);
  expect(pin.status).toBe('failed');
  expect(pin.nextMs).toBeUndefined();
});

it('the same bytes as a leaf and as a node are followed as a node too, and what is inside a CID needs no fetching', async () => {
  const leaf = Buffer.from('deep');
  const inner = node([rawCid(leaf)]);
  const asRaw = CID.createV1(0x55, inner.cid.multihash);
  const inline = CID.createV1(dagCbor.code, Digest.create(0, dagCbor.encode([inner.cid])));
  const { host, pin } = await pinned([node([asRaw, inline]), inner, { cid: rawCid(leaf), bytes: leaf }]);
  expect(pin.status).toBe('pinned');
  expect(await host.blocks.has(rawCid(leaf))).toBe(true);
});

it('DAG-JSON is followed like DAG-CBOR, and JSON without links is kept as it is', async () => {
  const leaf = Buffer.from('leaf');
  const json = Buffer.from('{"no":"links"}');
  const plain = CID.createV1(0x0200, sha256(json));
  const bytes = dagJson.encode({ leaf: rawCid(leaf), plain });
  const root = { cid: CID.createV1(dagJson.code, sha256(bytes)), bytes };
  const { host, pin } = await pinned([root, { cid: rawCid(leaf), bytes: leaf }, { cid: plain, bytes: json }]);
  expect(pin).toMatchObject({ status: 'pinned', blocks: 3 });
  for (const cid of [rawCid(leaf), plain]) expect(await host.blocks.has(cid)).toBe(true);
});

it('a block with a map that has the fields of a CID is kept, and does not keep garbage from being collected', async () => {
  const fake = new Map<string, unknown>([
    ['/', 'same'],
    ['bytes', 'same'],
    ['version', 1],
    ['code', 0x71],
  ]);
  const { host, pin } = await pinned([node([fake])]);
  expect(pin.status).toBe('pinned');
  const collection = await host.pinning.collector.collect();
  expect(collection.error).toBeUndefined();
  expect(await host.blocks.has(pin.root)).toBe(true);
});

it('a DAG with more blocks or bytes than one pin may have ends at the limit, not with the disk', async () => {
  const leaves = Array.from({ length: 500 }, (_, i) => Buffer.from(`leaf ${i}`)).map((bytes) => ({
    cid: rawCid(bytes),
    bytes,
  }));
  const blocks = [node(leaves.map(({ cid }) => cid)), ...leaves];
  const { pin } = await pinned(blocks, { pinBlocksMax: 100 });
  expect(pin).toMatchObject({ status: 'failed', error: { code: 'DAG_TOO_LARGE' } });
  expect(pin.blocks).toBeLessThanOrEqual(101);
  const { pin: second } = await pinned(blocks, { pinBytesMax: 1_000 });
  expect(second).toMatchObject({ status: 'failed', error: { code: 'DAG_TOO_LARGE' } });
});

it('a DAG of endless width is given up before its links fill the memory', async () => {
  let blocks = 0;
  const walk = walkDag([rawCid(Buffer.from('root'))], {
    parallel: () => 8,
    pendingBytesMax: 8 * 1024 * 1024,
    async visit() {
      blocks++;
      // 20,000 links that nobody has seen, each to a node that has as many.
      return Array.from({ length: 20_000 }, (_, i) => {
        const digest = Buffer.alloc(32);
        digest.writeUInt32LE(blocks, 16);
        digest.writeUInt32LE(i, 20);
        return CID.createV1(dagCbor.code, Digest.create(0x12, digest));
      });
    },
  });
  await expect(walk).rejects.toThrow(DagTooWideError);
  expect(blocks).toBeLessThan(20);
});

it('a block that is damaged on the way is not taken, and the pin stays open until it comes as it is', async () => {
  const leaf = Buffer.from('as it is');
  const root = node([rawCid(leaf)]);
  const host = await provider({ config: { pinning: { notFoundMs: 1_000 } } });
  const holder = await consumer();
  await putAll(holder.blockstore, [root, { cid: rawCid(leaf), bytes: Buffer.from('as it is not') }]);
  await holder.connect(host.addrs);
  const pin = addTo(host, root.cid);
  const failed = await pinWhen(host, pin, ({ status }) => status === 'failed');
  expect(failed.error?.code).toBe('CONTENT_NOT_FOUND');
  expect(failed.error?.message).toContain(rawCid(leaf).toString());
  expect(failed.blocks).toBe(1);
});

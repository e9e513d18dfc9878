import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import * as dagCbor from '@ipld/dag-cbor';
import * as dagPb from '@ipld/dag-pb';
import { CarReader } from '@ipld/car';
import { UnixFS } from 'ipfs-unixfs';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createGateway, type Gateway, type GatewayConfig } from '../provider/gateway/index.ts';
import { dagCborCid, rawCid } from '../sdk/protocol/index.ts';
import { ask } from './gateway-scene.ts';

/** Goal: a small DAG that stands for something endless costs its reader, not the gateway. Method: real DAGs, blocks counted. */

const DAG_PB = 0x70;

class Dags {
  readonly #blocks = new Map<string, Uint8Array>();
  fetched = 0;
  gateway!: Gateway;

  static async open(config: Partial<GatewayConfig> = {}): Promise<Dags> {
    const dags = new Dags();
    dags.gateway = await createGateway({
      config: { listen: '127.0.0.1:0', ...config },
      getBlock: async (cid) => {
        dags.fetched += 1;
        return dags.#blocks.get(cid.toString())!;
      },
      hasBlock: async (cid) => dags.#blocks.has(cid.toString()),
      onError: (error) => dags.errors.push(error),
    });
    onTestFinished(() => dags.gateway.stop());
    return dags;
  }

  readonly errors: unknown[] = [];

  raw(bytes: Uint8Array): CID {
    return this.#put(rawCid(bytes), bytes);
  }

  cbor(bytes: Uint8Array): CID {
    return this.#put(dagCborCid(bytes), bytes);
  }

  node(data: UnixFS, links: { name?: string; cid: CID }[] = []): CID {
    const bytes = dagPb.encode({
      Data: data.marshal(),
      Links: links.map(({ name = '', cid }) => ({ Name: name, Hash: cid, Tsize: 0 })),
    });
    const digest = Digest.create(0x12, createHash('sha256').update(bytes).digest());
    return this.#put(CID.createV1(DAG_PB, digest), bytes);
  }

  /** A file of `count` times the same child. */
  repeat(cid: CID, size: bigint, count: number): CID {
    const file = new UnixFS({ type: 'file', blockSizes: Array.from({ length: count }, () => size) });
    return this.node(
      file,
      Array.from({ length: count }, () => ({ cid })),
    );
  }

  #put(cid: CID, bytes: Uint8Array): CID {
    this.#blocks.set(cid.toString(), bytes);
    return cid;
  }
}

/** A file of `width ** levels` leaves in `levels + 1` blocks. */
function bomb(dags: Dags, width: number, levels: number, leafBytes = 1 << 20): CID {
  let size = BigInt(leafBytes);
  let cid = dags.raw(new Uint8Array(leafBytes));
  for (let level = 0; level < levels; level++) {
    cid = dags.repeat(cid, size, width);
    size *= BigInt(width);
  }
  return cid;
}

const idle = (gateway: Gateway) => vi.waitFor(() => expect(gateway.stats().requestsUnderWay).toBe(0), 30_000);

test.each(['', '?format=car&car-dups=y'])(
  'a reader who never reads%s: what is read ahead is bounded, and the connection ends',
  async (query) => {
    const dags = await Dags.open({ idleTimeoutMs: 500 });
    const { gateway } = dags;
    const socket = connect(gateway.port, '127.0.0.1');
    socket.pause();
    socket.on('error', () => {});
    socket.write(`GET /ipfs/${bomb(dags, 100, 4)}${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await vi.waitFor(() => expect(gateway.stats().requestsUnderWay).toBe(1), 30_000);
    await idle(gateway);
    // A hundred million MiB, of which the buffers of the system took some.
    expect(dags.fetched).toBeLessThan(200);
    socket.destroy();
    await vi.waitFor(() => expect(gateway.stats().connections).toBe(0), 30_000);
  },
);

test('a reader who reads too slowly is ended by the time for the whole answer', async () => {
  const dags = await Dags.open({ deadlineMs: 1000 });
  const { gateway } = dags;
  const socket = connect(gateway.port, '127.0.0.1');
  socket.on('error', () => {});
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on('close', () => resolve());
  let bytes = 0;
  socket.on('data', (part: Buffer) => {
    bytes += part.length;
    socket.pause();
    setImmediate(() => socket.resume());
  });
  socket.write(`GET /ipfs/${bomb(dags, 100, 4)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await closed;
  expect(bytes).toBeGreaterThan(0);
  await idle(gateway);
});

test('whoever leaves is not read for any longer, and a range of a file without end is served', async () => {
  const dags = await Dags.open();
  const { gateway } = dags;
  const cid = bomb(dags, 100, 4);
  const size = 100 ** 4 * 2 ** 20;
  expect((await ask(gateway, `/ipfs/${cid}`, { method: 'HEAD' })).headers['content-length']).toBe(String(size));
  const part = await ask(gateway, `/ipfs/${cid}`, { headers: { range: `bytes=${size - 10}-` } });
  expect([part.status, part.body.length]).toEqual([206, 10]);
  const socket = connect(gateway.port, '127.0.0.1');
  socket.write(`GET /ipfs/${cid} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  socket.once('data', () => socket.destroy());
  await vi.waitFor(() => expect(gateway.stats().requestsAnswered).toBe(3), 30_000);
  await idle(gateway);
  const { fetched } = dags;
  expect((await ask(gateway, '/ipfs/bafkqaaa')).status).toBe(200);
  expect(dags.fetched).toBe(fetched);
});

test('a CAR of blocks that double at every level: each block once, or as often as the limit allows and then no end', async () => {
  const dags = await Dags.open({ carBlocksMax: 1000 });
  const cid = bomb(dags, 2, 40, 1000);
  const whole = await ask(dags.gateway, `/ipfs/${cid}?format=car`);
  const car = await CarReader.fromBytes(whole.body);
  let blocks = 0;
  for await (const _ of car.blocks()) blocks += 1;
  expect(blocks).toBe(41);
  await expect(ask(dags.gateway, `/ipfs/${cid}?format=car&car-dups=y`)).rejects.toThrow();
  expect(dags.fetched).toBeLessThan(1200);
  // That a client asked for too much is nothing for the log.
  expect(dags.errors).toEqual([]);
});

test('a CAR of more bytes than the limit breaks off', async () => {
  const dags = await Dags.open({ carBytesMax: 10 << 20 });
  const cid = bomb(dags, 20, 1);
  expect((await ask(dags.gateway, `/ipfs/${cid}?format=car`)).status).toBe(200);
  await expect(ask(dags.gateway, `/ipfs/${cid}?format=car&car-dups=y`)).rejects.toThrow();
  expect(dags.fetched).toBeLessThan(40);
});

test('a CAR of nodes that are wide at every level ends before its links fill the memory', async () => {
  const dags = await Dags.open();
  let cid = dags.raw(Buffer.from('leaf'));
  for (let level = 0; level < 8; level++) cid = dags.repeat(cid, 1n, 40_000);
  await expect(ask(dags.gateway, `/ipfs/${cid}?format=car&car-dups=y`)).rejects.toThrow();
  expect(dags.fetched).toBeLessThan(300);
  expect((await ask(dags.gateway, '/ipfs/bafkqaaa')).status).toBe(200);
});

test('a CAR of a chain with side branches has all blocks, each before its children, in the order of the links', async () => {
  const dags = await Dags.open();
  const expected: string[] = [];
  let cid = dags.raw(Buffer.from('end'));
  const sides: string[][] = [];
  for (let level = 0; level < 200; level++) {
    const branches = Array.from({ length: 12 }, (_, i) => dags.raw(Buffer.from(`${level} ${i}`)));
    sides.push(branches.map(String));
    expected.unshift(cid.toString());
    cid = dags.node(new UnixFS({ type: 'directory' }), [
      { name: 'a', cid },
      ...branches.map((branch, i) => ({ name: `b${String(i).padStart(2, '0')}`, cid: branch })),
    ]);
  }
  expected.unshift(cid.toString());
  // The end of the chain comes first, then the branches on the way back.
  const order = [
    ...expected,
    ...sides.flatMap((names) => names.toSorted((a, b) => names.indexOf(a) - names.indexOf(b))),
  ];
  const reply = await ask(dags.gateway, `/ipfs/${cid}?format=car`);
  const cids: string[] = [];
  for await (const block of (await CarReader.fromBytes(reply.body)).blocks()) cids.push(block.cid.toString());
  expect(cids).toEqual(order);
});

test('shards that are large and lead to themselves at every slot end the listing, not the gateway', async () => {
  const dags = await Dags.open();
  const shard = (child?: CID): CID => {
    const data = new UnixFS({
      type: 'hamt-sharded-directory',
      fanout: 256n,
      hashType: 0x22n,
      data: new Uint8Array(1_900_000),
    });
    const slots = Array.from({ length: 256 }, (_, i) => i.toString(16).toUpperCase().padStart(2, '0'));
    return dags.node(data, child === undefined ? [] : slots.map((name) => ({ name, cid: child })));
  };
  let cid = shard();
  for (let level = 0; level < 20; level++) cid = shard(cid);
  const reply = await ask(dags.gateway, `/ipfs/${cid}/`);
  expect([reply.status, reply.text]).toEqual([500, expect.stringMatching(/takes blocks of more than/)]);
  expect(dags.fetched).toBeLessThan(50);
});

test('a directory with too many entries is cut; blocks that cannot be decoded are errors of their request', async () => {
  const dags = await Dags.open();
  const leaf = dags.raw(new Uint8Array(0));
  const links = Array.from({ length: 30_000 }, (_, i) => ({ name: String(i).padStart(6, '0'), cid: leaf }));
  const wide = dags.node(new UnixFS({ type: 'directory' }), links);
  const listing = await ask(dags.gateway, `/ipfs/${wide}/`);
  expect(listing.text).toContain('These are the first 10000');
  const deep = dags.cbor(Buffer.concat([Buffer.alloc(1_000_000, 0x81), Buffer.from([0x00])]));
  await expect(ask(dags.gateway, `/ipfs/${deep}?format=car`)).rejects.toThrow();
  expect((await ask(dags.gateway, `/ipfs/${deep}/0/0`)).status).toBe(500);
  const broken = dags.cbor(Buffer.from([0xff, 0x00]));
  expect((await ask(dags.gateway, `/ipfs/${broken}/x`)).status).toBe(500);
  const proto = dags.cbor(dagCbor.encode({ a: 1 }));
  for (const name of ['__proto__', 'constructor', 'toString']) {
    expect((await ask(dags.gateway, `/ipfs/${proto}/${name}`)).status).toBe(404);
  }
  const short = dags.node(new UnixFS({ type: 'file', blockSizes: [1n << 40n] }), [{ cid: leaf }]);
  expect((await ask(dags.gateway, `/ipfs/${short}`)).status).toBe(500);
  expect((await ask(dags.gateway, '/ipfs/bafkqaaa')).status).toBe(200);
});

test('a TAR of a tree without end, of names that would leave it, or of what is no UnixFS breaks off', async () => {
  const dags = await Dags.open({ carBlocksMax: 1000, carBytesMax: 10 << 20 });
  const directory = (links: { name: string; cid: CID }[]) => dags.node(new UnixFS({ type: 'directory' }), links);
  const leaf = dags.raw(Buffer.from('leaf'));
  let deep = directory([]);
  for (let level = 0; level < 60; level++) deep = directory(['a', 'b'].map((name) => ({ name, cid: deep })));
  const whole = await ask(dags.gateway, `/ipfs/${directory([{ name: 'a', cid: leaf }])}?format=tar`);
  expect(whole.status).toBe(200);
  const { fetched } = dags;
  for (const cid of [deep, bomb(dags, 20, 1), directory([{ name: 'x', cid: dags.cbor(dagCbor.encode({})) }])]) {
    await expect(ask(dags.gateway, `/ipfs/${cid}?format=tar`)).rejects.toThrow();
  }
  expect(dags.fetched - fetched).toBeLessThan(1100);
  for (const name of ['..', '.', '', '/etc/passwd', 'a/../../b', 'a\\b', 'nul\0']) {
    await expect(ask(dags.gateway, `/ipfs/${directory([{ name, cid: leaf }])}?format=tar`)).rejects.toThrow();
  }
  expect((await ask(dags.gateway, `/ipfs/${dags.cbor(dagCbor.encode({}))}?format=tar`)).status).toBe(400);
  expect(dags.errors).toEqual([]);
});

import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Connection, Libp2p, Stream, StreamMuxer } from '@libp2p/interface';
import { MemoryDatastore } from 'datastore-core';
import fc from 'fast-check';
import type { Key } from 'interface-datastore';
import { Uint8ArrayList } from 'uint8arraylist';
import { afterEach, expect, test, vi } from 'vitest';
import { createNode, startNode } from '../provider/node/index.ts';

/**
 * Goal: what provider/node/ changes in how streams are opened and written is not to be seen from outside. Method: two real
 * hosts, and streams on which the test itself writes the lines of multistream-select, in whatever pieces.
 */

const ECHO = '/test/collect/1.0.0';
const HELLO = '\x13/multistream/1.0.0\n';
const line = (text: string): string => `${String.fromCharCode(text.length + 1)}${text}\n`;
const limits = { connectionsMax: 20, connectionRatePerHostMax: 100, streamsPerConnectionMax: 1024 };
const hosts: Libp2p[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

class CountingDatastore extends MemoryDatastore {
  puts = 0;

  override put(...args: Parameters<MemoryDatastore['put']>): Key | Promise<Key> {
    this.puts++;
    return super.put(...args);
  }
}

async function host(datastore = new CountingDatastore()): Promise<Libp2p> {
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const privateKey = await generateKeyPair('Ed25519');
  const libp2p = await createNode({ privateKey, listen, ...limits, parts: { datastore } });
  await startNode(libp2p, listen);
  hosts.push(libp2p);
  return libp2p;
}

interface Scene {
  connection: Connection;
  near: Libp2p;
  far: Libp2p;
  store: CountingDatastore;
  /** What each stream of the protocol has brought. */
  collected: Uint8ArrayList[];
}

async function scene(): Promise<Scene> {
  const store = new CountingDatastore();
  const [near, far] = await Promise.all([host(), host(store)]);
  const collected: Uint8ArrayList[] = [];
  await far.handle(
    ECHO,
    (stream) => {
      const all = new Uint8ArrayList();
      collected.push(all);
      stream.addEventListener('message', ({ data }) => all.append(data));
    },
    { maxInboundStreams: 1024 },
  );
  const connection = await near.dial(far.getMultiaddrs());
  return { connection, near, far, store, collected };
}

/** A stream on which nothing is negotiated yet, and what comes back on it. */
async function rawStream(connection: Connection): Promise<{ stream: Stream; answer: () => string }> {
  const { muxer } = connection as unknown as { muxer: StreamMuxer };
  const stream = await muxer.createStream();
  const back = new Uint8ArrayList();
  stream.addEventListener('message', ({ data }) => back.append(data));
  return { stream, answer: () => Buffer.from(back.subarray()).toString('latin1') };
}

const text = (list: Uint8ArrayList | undefined): string => Buffer.from(list?.subarray() ?? []).toString('latin1');

function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  return promise;
}

test('a protocol that is named without waiting is answered, and what follows reaches its handler, however it is cut', async () => {
  const { connection, collected } = await scene();
  const cuts = fc.array(fc.tuple(fc.nat(80), fc.boolean()), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' }), async (places, body) => {
      collected.length = 0;
      const { stream, answer } = await rawStream(connection);
      const bytes = Buffer.from(HELLO + line(ECHO) + body, 'latin1');
      let sent = 0;
      for (const [place, wait] of [...places].sort(([a], [b]) => a - b)) {
        if (place > sent) stream.send(bytes.subarray(sent, place));
        sent = Math.max(sent, place);
        if (wait) await nextTurn();
      }
      if (sent < bytes.length) stream.send(bytes.subarray(sent));
      await vi.waitFor(() => expect(text(collected[0])).toBe(body), { timeout: 10_000, interval: 1 });
      await vi.waitFor(() => expect(answer()).toBe(HELLO + line(ECHO)), { timeout: 10_000, interval: 1 });
      stream.abort(new Error('done'));
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('a stream that asks for a protocol that we do not speak is told so, and may ask for another', async () => {
  const { connection, collected } = await scene();
  const { stream, answer } = await rawStream(connection);
  stream.send(Buffer.from(HELLO + line('/test/unknown/1.0.0'), 'latin1'));
  await vi.waitFor(() => expect(answer()).toBe(HELLO + line('na')), { timeout: 10_000 });
  stream.send(Buffer.from(`${line(ECHO)}content`, 'latin1'));
  await vi.waitFor(() => expect(text(collected[0])).toBe('content'), { timeout: 10_000 });
});

test('streams that begin with anything else, or end before they have begun, harm nobody', async () => {
  const { connection, near, far, collected } = await scene();
  for (const first of [
    '\x00',
    '\xff\xff\xff',
    'GET / HTTP/1.1\r\n',
    `${HELLO}\x00`,
    `${HELLO}\x05abcde`,
    HELLO,
    HELLO + line(ECHO),
  ]) {
    const { stream } = await rawStream(connection);
    stream.send(Buffer.from(first, 'latin1'));
    stream.abort(new Error('gone'));
  }
  for (const closed of [HELLO, HELLO + line(ECHO)]) {
    const { stream } = await rawStream(connection);
    stream.send(Buffer.from(closed, 'latin1'));
    await stream.close();
  }
  // Its answer finds nobody: the connection ends with what it asked in it.
  for (let i = 0; i < 20; i++) {
    const leaving = await near.dial(far.getMultiaddrs(), { force: true });
    const { stream } = await rawStream(leaving);
    stream.send(Buffer.from(HELLO + line(ECHO), 'latin1'));
    if (i % 2 === 0) await nextTurn();
    leaving.abort(new Error('gone'));
  }
  const { stream } = await rawStream(connection);
  stream.send(Buffer.from(`${HELLO}${line(ECHO)}still here`, 'latin1'));
  await vi.waitFor(() => expect(collected.map(text)).toContain('still here'), { timeout: 10_000 });
  await vi.waitFor(() => expect(far.getConnections()).toHaveLength(1), { timeout: 10_000 });
});

test('what was written last before a connection is closed arrives', async () => {
  const { connection, collected } = await scene();
  const stream = await connection.newStream(ECHO);
  stream.send(Buffer.from('last words'));
  await connection.close();
  await vi.waitFor(() => expect(collected.map(text)).toEqual(['last words']), { timeout: 10_000 });
});

test('the protocol of many streams is noted with their peer once, and again after it was forgotten', async () => {
  const { connection, near, far, store, collected } = await scene();
  const open = async (): Promise<void> => {
    const before = collected.length;
    const stream = await connection.newStream(ECHO);
    stream.send(Buffer.from('x'));
    await vi.waitFor(() => expect(collected).toHaveLength(before + 1), { timeout: 10_000 });
  };
  const noted = async (): Promise<string[]> => (await far.peerStore.get(near.peerId)).protocols;
  await open();
  await vi.waitFor(async () => expect(await noted()).toContain(ECHO), { timeout: 10_000 });
  // Identify writes too, once for the connection.
  await vi.waitFor(async () => expect(await noted()).toContain('/ipfs/ping/1.0.0'), { timeout: 10_000 });
  await open();
  const before = store.puts;
  for (let count = 0; count < 20; count++) await open();
  expect(store.puts).toBe(before);
  await far.peerStore.patch(near.peerId, { protocols: [] });
  expect(await noted()).not.toContain(ECHO);
  await open();
  expect(await noted()).toContain(ECHO);
});

import { createHash, randomBytes } from 'node:crypto';
import type { Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import { afterEach, expect, test } from 'vitest';
import { connect, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';

/**
 * Goal: the transports give their buffers back early, and nobody notices. Method: large blocks both ways, and beside them
 * on the same connection a stream whose reader keeps views of all that came, never a copy.
 */

const OTHER = '/test/keeper/1.0.0';
const SENT_BYTES = 8 * 1024 * 1024;

afterEach(stopHosts);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function send(stream: Stream, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    const length = Math.min(bytes.length - offset, 1 + ((offset * 7919) % 90_000));
    if (!stream.send(bytes.subarray(offset, offset + length))) await stream.onDrain();
    offset += length;
  }
}

test('what another protocol keeps views of stays as it came, while blocks go both ways over the same connection', async () => {
  const [one, two] = await Promise.all([startHost(), startHost()]);
  const kept = new Uint8ArrayList();
  await two.libp2p.handle(OTHER, (stream) => stream.addEventListener('message', ({ data }) => kept.append(data)));
  await connect(one.libp2p, two.libp2p);
  const there = await randomBlocks(60, 256 * 1024);
  const back = await randomBlocks(400, 20_000);
  await putAll(one.blockstore, there);
  await putAll(two.blockstore, back);
  const expected = randomBytes(SENT_BYTES);
  const stream = await one.libp2p.dialProtocol(two.peerId, OTHER);
  const [fetchedThere, fetchedBack] = await Promise.all([
    Promise.all(there.map(({ cid }) => two.bitswap.get(cid, { peers: [one.peerId] }))),
    Promise.all(back.map(({ cid }) => one.bitswap.get(cid, { peers: [two.peerId] }))),
    send(stream, expected),
  ]);
  await until(() => kept.byteLength === SENT_BYTES);
  expect(sha256(kept.subarray())).toBe(sha256(expected));
  expect(fetchedThere.map(sha256)).toEqual(there.map(({ bytes }) => sha256(bytes)));
  expect(fetchedBack.map(sha256)).toEqual(back.map(({ bytes }) => sha256(bytes)));
  // What is in the stores is still what was fetched, now that all buffers of the way were used again.
  for (const { cid, bytes } of there) expect(sha256(await two.bitswap.get(cid))).toBe(sha256(bytes));
  expect(sha256(there[0]!.bytes)).toBe(sha256(await one.bitswap.get(there[0]!.cid)));
}, 60_000);

import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Stream } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { streamPair } from '@libp2p/utils';
import { expect, it } from 'vitest';
import { FrameReader, FrameWriter } from '../../../sdk/protocol/index.ts';
import { decodeMap, isMap } from '../../../sdk/protocol/signed.ts';
import { ANSWER_BYTES_MAX, PENDING_BYTES_MAX } from './constants.ts';
import { PeerStream } from './peer-stream.ts';
import { encodeQuestion, type Question } from './wire.ts';

/** Goal: a peer that asks and does not wait, or does not read, is held to the limits. Method: a stream whose answers we hold back. */

const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'));
const put = {
  ask: 'put',
  to: peer.toString(),
  message: new Uint8Array(16),
  body: new Uint8Array(256 * 1024),
  ttlMs: 1_000,
  priceMaxBytes: 1,
} as const;

async function scene(answer: () => Promise<object>, budget = { bytes: PENDING_BYTES_MAX }) {
  const [ours, theirs] = await streamPair();
  const ended = Promise.withResolvers<void>();
  const served = new PeerStream(theirs, peer, { answer, budget, onError: () => {}, onEnd: ended.resolve });
  const writer = new FrameWriter(ours, (error) => ours.abort(error));
  const ask = (count: number, question: Question): void => {
    for (let i = 0; i < count; i++) writer.write(encodeQuestion(i + 1, question));
  };
  return { ours, served, ask, budget, ended: ended.promise };
}

/** The code of the first refusal. */
async function refusal(stream: Stream): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const reader = new FrameReader(ANSWER_BYTES_MAX);
  stream.addEventListener('message', ({ data }) =>
    reader.push(data, (frame) => {
      const { error } = decodeMap('', frame);
      if (isMap(error)) resolve(error['code']);
    }),
  );
  return promise;
}

it('too many questions, or too many bytes of them, under way are refused; the room is given back', async () => {
  const held = Promise.withResolvers<object>();
  const many = await scene(() => held.promise);
  many.ask(4_097, { ask: 'rates' });
  expect(await refusal(many.ours)).toBe('TOO_MANY_REQUESTS');
  const large = await scene(() => held.promise);
  large.ask(64, put);
  expect(await refusal(large.ours)).toBe('TOO_MANY_REQUESTS');
  const budget = { bytes: 1_000_000 };
  const shared = [await scene(() => held.promise, budget), await scene(() => held.promise, budget)];
  shared[0]!.ask(3, put);
  shared[1]!.ask(1, put);
  expect(await Promise.race(shared.map(({ ours }) => refusal(ours)))).toBe('TOO_MANY_REQUESTS');
  held.resolve({});
  await expect.poll(() => budget.bytes).toBe(1_000_000);
});

it('a peer that does not read its answers is let go', async () => {
  const { ours, ask, ended } = await scene(async () => ({ page: new Uint8Array(1024 * 1024) }));
  ours.pause();
  ask(64, { ask: 'rates' });
  await ended;
});

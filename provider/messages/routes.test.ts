import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { expect, it } from 'vitest';
import type { CallRequest } from '../../sdk/client/index.ts';
import {
  rawCid,
  serviceName,
  WorkswapError,
  type SealedReceipt,
  type ServiceMessage,
} from '../../sdk/protocol/index.ts';
import { parseConfig } from '../config.ts';
import { deliveryLimits } from './limits.ts';
import { routesOf } from './routes.ts';

const key = await generateKeyPair('Ed25519');
const peerId = peerIdFromPrivateKey(key);
const service = serviceName(key.publicKey);
const cid = rawCid(new Uint8Array());
const never = new AbortController().signal;
const options = { ttlMs: 60_000, signal: never };

/** The way to a service elsewhere, which answers with what the test says. */
function scene(answer: () => number | Promise<number>) {
  const asked: CallRequest[] = [];
  const deliver = routesOf({
    peerId,
    mailboxes: { send: () => Promise.reject(new Error('no mailboxes here')) },
    hosted: () => undefined,
    jobs: { run: () => Promise.reject(new Error('no services here')) },
    runner: {
      resolve: async (name) => ({ name, handler: cid, site: undefined, descriptor: cid, sponsor: 'caller' }),
      run: async (_service, request) => {
        asked.push(request);
        const priceBytes = await answer();
        const receipt = async () => ({ receipt: { priceBytes } }) as SealedReceipt;
        return { status: 204, headers: {}, body: (async function* () {})(), receipt };
      },
    },
    limits: { ...deliveryLimits(), priceBytesMax: 100, servicePriceBytesMax: 250 },
  });
  return { asked, deliver };
}

const message = (fields: Partial<ServiceMessage> = {}): ServiceMessage => ({
  ...{ id: new Uint8Array(16), from: service, to: service, timeMs: Date.now(), followUps: 3, body: Uint8Array.of(1) },
  ...fields,
});

it('what one service spends in an hour has an end, and then its messages wait', async () => {
  const { asked, deliver } = scene(() => 100);
  await deliver(message(), options);
  await deliver(message(), options);
  await expect(deliver(message(), options)).rejects.toMatchObject({ code: 'SPENT', retryable: true });
  expect(asked).toHaveLength(2);
  // Another service has its own.
  await deliver(message({ from: peerId.toString() }), options);
});

it('what is on its way counts as the most that it may cost', async () => {
  const answered = Promise.withResolvers<number>();
  const { asked, deliver } = scene(() => answered.promise);
  const underWay = [deliver(message(), options), deliver(message(), options)];
  await expect(deliver(message(), options)).rejects.toMatchObject({ code: 'SPENT' });
  answered.resolve(0);
  await Promise.all(underWay);
  await deliver(message(), options);
  expect(asked).toHaveLength(3);
});

it('limits with which no message could ever leave are refused', () => {
  expect(() => parseConfig({ messages: { servicePriceBytesMax: 1_000 } }, 'test')).toThrow('until it expires');
});

it('attempts that follow each other are the same task, later ones are of their own time', async () => {
  const { asked, deliver } = scene(() => 0);
  const sentMs = Date.now() - 1_000;
  for (const timeMs of [sentMs, sentMs, sentMs - 3_650_000]) await deliver(message({ timeMs }), options);
  const [first, second, late] = asked;
  expect(first).toEqual(second);
  expect(first).toMatchObject({ method: 'DELIVER', timeMs: sentMs, headers: { from: service, 'follow-ups': '3' } });
  expect(Math.abs(late!.timeMs! - Date.now())).toBeLessThan(121_000);
  expect(Buffer.compare(late!.seed!, first!.seed!)).not.toBe(0);
});

it('a message that was taken before, when the answer did not come, is delivered', async () => {
  const { deliver } = scene(() => {
    throw new WorkswapError('ALREADY_APPLIED', 'was delivered before', { fault: 'consumer' });
  });
  await deliver(message(), options);
});

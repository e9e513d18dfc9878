import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { DEFAULT_SETTINGS, MailboxEndpoint, type Message } from '../provider/mailbox/index.ts';
import type { Consumer } from '../provider/consumer.ts';
import type { Provider } from '../provider/provider.ts';
import { consumer, provider } from './fixtures.ts';

const OPEN = { mailbox: { host: 'anyone' } } as const;

/** A consumer's way to the mailboxes of a provider. */
async function at(host: Provider, user: Consumer): Promise<MailboxEndpoint> {
  await user.connect(host.addrs);
  const endpoint = new MailboxEndpoint(host.peerId, { libp2p: user.libp2p });
  onTestFinished(() => endpoint.close());
  return endpoint;
}

async function scene() {
  const host = await provider({ config: OPEN });
  const [ada, bob] = [await consumer(), await consumer()];
  const [sending, receiving] = [await at(host, ada), await at(host, bob)];
  await receiving.open(DEFAULT_SETTINGS);
  const to = bob.libp2p.peerId;
  return { host, ada, bob, sending, receiving, to };
}

function texts(messages: Message[]): string[] {
  return messages.map(({ body }) => Buffer.from(body).toString());
}

it('a message waits for a recipient that is offline, is taken in order, and is gone when it is acknowledged', async () => {
  const { ada, sending, receiving, to } = await scene();
  const ids = Array.from({ length: 5 }, () => randomBytes(16));
  await Promise.all(ids.map((id, i) => sending.put(to, id, Buffer.from(`message ${i}`))));
  const { messages: heads, waiting } = await receiving.list();
  expect(heads.map(({ from, bytes }) => [from, bytes])).toEqual(ids.map(() => [ada.libp2p.peerId.toString(), 9]));
  expect(waiting.messages).toBe(5);
  const { messages } = await receiving.take({ limit: 3 });
  expect(texts(messages)).toEqual(['message 0', 'message 1', 'message 2']);
  const { messages: rest } = await receiving.take();
  expect(texts(rest)).toEqual(['message 3', 'message 4']);
  expect(await receiving.acknowledge(messages)).toBe(3);
  expect(await receiving.acknowledge(messages)).toBe(0);
  expect((await receiving.list()).messages.map(({ id }) => Buffer.from(id))).toEqual(ids.slice(3));
  const states = (await sending.status(to, [...ids, randomBytes(16)])).map(({ state }) => state);
  expect(states).toEqual(['acknowledged', 'acknowledged', 'acknowledged', 'waiting', 'waiting', 'unknown']);
});

it('a message that is sent again is kept once, and one that was acknowledged does not come back', async () => {
  const { sending, receiving, to } = await scene();
  const id = randomBytes(16);
  expect(await sending.put(to, id, Buffer.from('once'))).toMatchObject({ state: 'waiting' });
  expect(await sending.put(to, id, Buffer.from('twice'))).toEqual({ state: 'waiting', priceBytes: 0 });
  const { messages } = await receiving.take();
  expect(texts(messages)).toEqual(['once']);
  await receiving.acknowledge(messages);
  expect(await sending.put(to, id, Buffer.from('thrice'))).toEqual({ state: 'acknowledged', priceBytes: 0 });
  expect((await receiving.list()).messages).toEqual([]);
});

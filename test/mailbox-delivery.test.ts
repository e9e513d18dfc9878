import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import { DEFAULT_SETTINGS, MailboxClient, MAILBOX_PROTOCOL, NOTIFY_PROTOCOL } from '../provider/mailbox/index.ts';
import { consumer, directory } from './fixtures.ts';
import { mailboxClient, mailboxProvider, endpointOf, recipient, sender, startInbox } from './mailbox-scene.ts';

const WAIT = { timeout: 60_000, interval: 10 };

it('a sender that knows a peer id and one contact finds the mailboxes, and the recipient gets each message once', async () => {
  const hosts = [await mailboxProvider(), await mailboxProvider()];
  const bob = await recipient(hosts);
  const ada = await sender(hosts[0]!);
  const sent = [];
  for (let i = 0; i < 20; i++) sent.push(await ada.client.send(bob.peer, Buffer.from(`message ${i}`)));
  expect(sent.map(({ copies }) => copies.map(({ error }) => error))).toEqual(sent.map(() => [undefined, undefined]));
  expect(hosts.map((host) => host.mailboxes.waiting(bob.peer.toString()).messages)).toEqual([20, 20]);
  expect(await ada.client.status(bob.peer, sent[0]!.id)).toMatchObject({ state: 'waiting' });
  expect(await bob.inbox.takeAll()).toEqual([]);
  expect(bob.received.map(({ text }) => text)).toEqual(sent.map((_, i) => `message ${i}`));
  expect(hosts.map((host) => host.mailboxes.waiting(bob.peer.toString()).messages)).toEqual([0, 0]);
  expect(await ada.client.status(bob.peer, sent[0]!.id)).toMatchObject({ state: 'acknowledged' });
});

it('one endpoint that is down keeps no message back', async () => {
  const hosts = [await mailboxProvider(), await mailboxProvider()];
  const bob = await recipient(hosts);
  const ada = await sender(hosts[0]!);
  await ada.client.find(bob.peer);
  await hosts[1]!.stop();
  const { copies } = await ada.client.send(bob.peer, Buffer.from('still'));
  expect(copies.map(({ error }) => (error as { code?: string } | undefined)?.code)).toEqual([undefined, 'NO_ENDPOINT']);
  expect(await bob.inbox.takeAll()).toMatchObject([{ provider: hosts[1]!.peerId.toString() }]);
  expect(bob.received.map(({ text }) => text)).toEqual(['still']);
});

it('a refusal for good at one endpoint ends nothing while another is only down', async () => {
  const [first, second] = [await mailboxProvider(), await mailboxProvider()];
  const bob = await recipient([first, second]);
  const ada = await sender(first);
  const mailbox = await bob.client.at(endpointOf(first));
  await mailbox.open({ ...DEFAULT_SETTINGS, blocked: [ada.node.libp2p.peerId.toString()] });
  await ada.client.find(bob.peer);
  await second.stop();
  await expect(ada.client.send(bob.peer, Buffer.from('hello'))).rejects.toMatchObject({ retryable: true });
});

it('a recipient that is connected is told of every message, and one that comes back of what waits', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  await startInbox(bob.inbox);
  for (let i = 0; i < 3; i++) {
    await ada.client.send(bob.peer, Buffer.from(`while connected ${i}`));
    await vi.waitFor(() => expect(bob.received.length).toBe(i + 1), WAIT);
  }
  await Promise.all(bob.node.libp2p.getConnections().map((connection) => connection.close()));
  await ada.client.send(bob.peer, Buffer.from('while away'));
  await vi.waitFor(() => expect(bob.received.at(-1)!.text).toBe('while away'), WAIT);
});

it('a peer that only connects, for whatever reason, is told that something waits for it', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  const { privateKey } = bob.node;
  await bob.node.stop();
  await ada.client.send(bob.peer, Buffer.from('for later'));
  const again = await consumer({ privateKey });
  const told = Promise.withResolvers<void>();
  await again.libp2p.handle(NOTIFY_PROTOCOL, (stream) => stream.addEventListener('message', () => told.resolve()));
  await again.connect(host.addrs);
  await told.promise;
});

it('a recipient that begins to listen on a connection where it did not before is told from then on', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  await ada.client.send(bob.peer, Buffer.from('unheard'));
  // The notice of this one is refused, since nobody listens.
  const opened = vi.spyOn(host.libp2p.getConnections(bob.peer)[0]!, 'newStream');
  await ada.client.send(bob.peer, Buffer.from('unheard too'));
  await Promise.allSettled(opened.mock.results.map(({ value }) => value as Promise<unknown>));
  await startInbox(bob.inbox);
  await vi.waitFor(() => expect(bob.received.length).toBe(2), WAIT);
  await ada.client.send(bob.peer, Buffer.from('heard'));
  await vi.waitFor(() => expect(bob.received.at(-1)!.text).toBe('heard'), WAIT);
});

it('two devices of one recipient never have the same message at once, and each sender stays in order', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const { privateKey } = bob.node;
  const other = mailboxClient(await consumer({ privateKey }));
  const senders = [await sender(host), await sender(host)];
  for (let i = 0; i < 3; i++) {
    for (const [s, { client }] of senders.entries()) await client.send(bob.peer, Buffer.from(`${s}${i}`));
  }
  const [first, second] = [await bob.client.at(endpointOf(host)), await other.at(endpointOf(host))];
  const texts = (page: Awaited<ReturnType<typeof first.take>>) =>
    page.messages.map(({ body }) => String(Buffer.from(body)));
  const taken = await first.take({ limit: 1 });
  expect(texts(taken)).toEqual(['00']);
  // The first sender is the first device's now; of the second everything is free.
  expect(texts(await second.take())).toEqual(['10', '11', '12']);
  expect(texts(await second.take())).toEqual([]);
  await first.acknowledge(taken.messages);
  expect(texts(await second.take())).toEqual(['01', '02']);
  // A device that goes gives back what it did not acknowledge.
  await second.close();
  await vi.waitFor(async () => expect((await first.take()).messages.length).toBe(5), WAIT);
  expect(await first.acknowledge(taken.messages)).toBe(0);
});

it('a stream that breaks in the middle of taking loses nothing and keeps the order', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  for (let i = 0; i < 10; i++) await ada.client.send(bob.peer, Buffer.from(`${i}`));
  const endpoint = await bob.client.at(endpointOf(host));
  const { messages } = await endpoint.take({ limit: 5 });
  await endpoint.acknowledge(messages.slice(0, 2));
  const [connection] = bob.node.libp2p.getConnections();
  connection!.abort(new Error('the cable was pulled'));
  await vi.waitFor(async () => expect(await bob.inbox.takeAll()).toEqual([]), WAIT);
  await vi.waitFor(async () => {
    await bob.inbox.takeAll();
    expect(bob.received.map(({ text }) => text)).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
  }, WAIT);
});

it('a mailbox outlives a restart of its provider, and so does the record that leads to it', async () => {
  const dataDir = await directory();
  const host = await mailboxProvider({ dataDir });
  const bob = await recipient([host]);
  const ada = await sender(host);
  await ada.client.send(bob.peer, Buffer.from('kept'));
  const place = endpointOf(host);
  await host.stop();
  const again = await mailboxProvider({ dataDir });
  const eve = await sender(again);
  expect((await eve.client.find(bob.peer)).endpoints).toEqual([place]);
  const reader = mailboxClient(await consumer({ privateKey: bob.node.privateKey }));
  const { messages } = await (await reader.at(endpointOf(again))).take();
  expect(messages.map(({ body }) => String(Buffer.from(body)))).toEqual(['kept']);
});

it('a record of somebody else, an older one and one that names another block are refused', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const eve = await recipient([host]);
  const { makeMailboxPublication } = await import('../provider/mailbox/publication.ts');
  const fields = { endpoints: [], sequence: Date.now() + 1000, expiresMs: Date.now() + 60_000 };
  const asEve = await eve.client.at(endpointOf(host));
  const bobs = await makeMailboxPublication(fields, bob.node.privateKey);
  await expect(asEve.open(DEFAULT_SETTINGS, bobs)).rejects.toMatchObject({ code: 'RECORD_REFUSED' });
  const own = await makeMailboxPublication(fields, eve.node.privateKey);
  await expect(asEve.open(DEFAULT_SETTINGS, { ...own, document: bobs.document })).rejects.toMatchObject({
    code: 'DOCUMENT_INVALID',
  });
  const older = await makeMailboxPublication({ ...fields, sequence: 1 }, eve.node.privateKey);
  await expect(asEve.open(DEFAULT_SETTINGS, older)).rejects.toThrow(/lower sequence|it has 1/);
  expect((await (await sender(host)).client.find(bob.peer)).endpoints).toEqual([endpointOf(host)]);
});

it('what is no question gets a refusal or ends the stream, and the provider goes on', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const eve = await consumer();
  await eve.connect(host.addrs);
  for (const bytes of [randomBytes(100), Buffer.alloc(64, 0x9f), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])]) {
    const stream = await eve.libp2p.dialProtocol(host.peerId, MAILBOX_PROTOCOL);
    stream.send(bytes);
    await stream.close().catch(() => {});
  }
  const ada = await sender(host);
  await ada.client.send(bob.peer, Buffer.from('fine'));
  await bob.inbox.takeAll();
  expect(bob.received.map(({ text }) => text)).toEqual(['fine']);
});

it('a client forgets the endpoints that it does not use, and none that it does', async () => {
  const [first, second, third] = [await mailboxProvider(), await mailboxProvider(), await mailboxProvider()];
  const client = new MailboxClient(await consumer(), { endpointsMax: 1 });
  onTestFinished(() => client.close());
  const used = await client.at(endpointOf(first));
  await used.rates();
  const unused = await client.at(endpointOf(second));
  expect(await client.at(endpointOf(second))).toBe(unused);
  await client.at(endpointOf(third));
  expect(await client.at(endpointOf(first))).toBe(used);
  expect(await client.at(endpointOf(second))).not.toBe(unused);
  // Whoever still has it may use it.
  await unused.rates();
  await used.giveBack();
  await vi.waitFor(() => expect(used.isIdle).toBe(true));
  await client.at(endpointOf(third));
  expect(await client.at(endpointOf(first))).not.toBe(used);
});

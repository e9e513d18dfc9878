import { generateKeyPair } from '@libp2p/crypto/keys';
import { expect, it, vi } from 'vitest';
import { never } from './service-scene.ts';
import { verify } from '../provider/client.ts';
import { askAbout } from '../provider/services/index.ts';
import { dagCborCid, decodeCommit, decodeMessage, encodeCommit, sealReceipts } from '../sdk/protocol/index.ts';
import { messagingProvider, inboxOf, peerOf, postboxAt, sendBy } from './messages-scene.ts';
import { endpointOf, mailboxClient, recipient } from './mailbox-scene.ts';
import { Inbox } from '../provider/mailbox/index.ts';

const WAIT = { timeout: 60_000, interval: 10 };

it('a message that an update sends waits in the mailbox of a peer that is offline, and comes once, in order', async () => {
  const host = await messagingProvider();
  const elsewhere = await messagingProvider();
  const bob = await recipient([elsewhere, host]);
  const peer = bob.peer.toString();
  const ada = await peerOf(host, elsewhere);
  const box = await postboxAt(ada, [host]);
  await host.libp2p.dial(elsewhere.libp2p.getMultiaddrs());
  await bob.node.stop();

  const receipt = await sendBy(ada, box.name, `to=${peer}&times=5`, 'hello');
  const commit = decodeCommit(await ada.bitswap.get(receipt.commit!));
  expect(commit.sent).toHaveLength(32);
  await vi.waitFor(
    () => expect(host.messages.figures(box.name)).toMatchObject({ waiting: 0, ended: [], holdups: [] }),
    WAIT,
  );
  for (const { mailboxes } of [host, elsewhere]) expect(mailboxes.waiting(peer).messages).toBe(5);

  const again = await recipient([elsewhere, host], { privateKey: bob.node.privateKey });
  const got: ReturnType<typeof decodeMessage>[] = [];
  const seen = new Set<string>();
  const inbox = new Inbox({
    client: mailboxClient(again.node),
    endpoints: [elsewhere, host].map(endpointOf),
    receive: async ({ id, from, body }) => {
      const key = `${from} ${Buffer.from(id).toString('hex')}`;
      if (!seen.has(key)) got.push(decodeMessage(body));
      seen.add(key);
    },
  });
  expect(await inbox.takeAll()).toEqual([]);
  expect(got.map(({ body }) => Buffer.from(body).toString())).toEqual([0, 1, 2, 3, 4].map((i) => `hello ${i}`));
  expect(got[0]).toMatchObject({ from: box.name, to: peer, followUps: 16 });
});

it('a message to a service runs its deliver, here and at another provider', async () => {
  const [one, two] = [await messagingProvider(), await messagingProvider()];
  const ada = await peerOf(one, two);
  const box = await postboxAt(ada, [one]);
  const near = await postboxAt(ada, [one]);
  const far = await postboxAt(ada, [two]);
  await one.libp2p.dial(two.libp2p.getMultiaddrs());
  await sendBy(ada, box.name, `to=${near.name}&to=${far.name}&times=3`, 'note');
  const all = ['note 0', 'note 1', 'note 2'];
  await vi.waitFor(async () => expect(await inboxOf(ada, near.name)).toEqual(all), WAIT);
  await vi.waitFor(async () => expect(await inboxOf(ada, far.name)).toEqual(all), WAIT);
  await vi.waitFor(() => expect(one.messages.figures(box.name)).toMatchObject({ waiting: 0, ended: [] }), WAIT);
});

it('a commit proves what was sent: whoever replays it finds the messages, or what differs', async () => {
  const privateKey = await generateKeyPair('Ed25519');
  const host = await messagingProvider({ privateKey });
  const ada = await peerOf(host);
  const box = await postboxAt(ada, [host]);
  const client = await ada.connect(host.addrs);
  const ask = async (query: string, body: string) => {
    const request = { method: 'POST', path: `/?to=${box.name}${query}`, body };
    const task = client.prepare(box.handler, request, { priceMaxBytes: 1024 * 1024 }, { service: box.name });
    const response = await client.run(task);
    await response.bytes();
    const sealed = await response.receipt;
    await ada.keepEvidence(client, task, sealed);
    return sealed;
  };
  const sealed = await ask('&times=3', 'hello');
  expect(await verify(sealed, ada)).toMatchObject({ verified: true, differs: [] });
  await vi.waitFor(async () => expect(await inboxOf(ada, box.name)).toHaveLength(3), WAIT);

  const bytes = await ada.bitswap.get(sealed.receipt.commit!);
  const { sent, ...rest } = decodeCommit(bytes);
  expect(sent).toHaveLength(32);
  for (const commit of [rest, { ...rest, sent: new Uint8Array(32) }]) {
    const changed = encodeCommit(commit);
    await host.blocks.put(dagCborCid(changed), changed);
    // Receipts are the provider's word, and so is a commit that says something else.
    const [forged] = sealReceipts([{ ...sealed.receipt, commit: dagCborCid(changed) }], privateKey);
    expect((await verify(forged!, ada)).differs).toEqual(['sent']);
  }
});

it('the maintainer is told what is not delivered, and nobody else', async () => {
  const host = await messagingProvider();
  const ada = await peerOf(host);
  const eve = await peerOf(host);
  const box = await postboxAt(ada, [host]);
  await sendBy(ada, box.name, `to=${box.name}`, 'fail');
  await sendBy(ada, box.name, `to=${eve.libp2p.peerId.toString()}`, 'to nobody\u2019s mailbox');
  await vi.waitFor(async () => {
    const { messages } = await askAbout(ada.libp2p, host.peerId, box.name, never);
    expect(messages).toMatchObject({
      waiting: 1,
      holdups: [{ to: eve.libp2p.peerId.toString(), code: 'SERVICE_NOT_FOUND' }],
      ended: [{ to: box.name, code: 'HANDLER_FAILED' }],
    });
  }, WAIT);
  expect(host.messages.waiting.messages).toBe(1);
  expect(host.messages.counts()).toMatchObject({ refused: 1, delivered: 0, expired: 0 });
  await eve.connect(host.addrs);
  expect((await askAbout(eve.libp2p, host.peerId, box.name, never)).messages).toBeUndefined();
});

import { expect, it, vi } from 'vitest';
import { decodeCommit, decodeMessage } from '../sdk/protocol/index.ts';
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

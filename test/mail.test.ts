import { randomBytes } from 'node:crypto';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { CID } from 'multiformats/cid';
import { expect, it, vi } from 'vitest';
import { mailboxName } from '../provider/mailbox/index.ts';
import { generateMailKey } from '../provider/mail/age.ts';
import { OwnMailboxes } from '../provider/mail/own-mailboxes.ts';
import { descriptorOf } from '../provider/services/index.ts';
import { fetchDag, openBlockstore } from '../provider/store/index.ts';
import { consumer, directory, offer } from './fixtures.ts';
import { endpointOf, mailboxClient, mailboxProvider } from './mailbox-scene.ts';
import { hex, scene, user, type User } from './mail-scene.ts';

const WAIT = { timeout: 60_000, interval: 10 };

it('a letter with an attachment reaches two people who are offline, and the answer belongs to its thread', async () => {
  const { users } = await scene(3);
  const [ada, bob, carol] = users as [User, User, User];
  ada.mail.addContact('bob', bob.mail.address);
  const photo = randomBytes(300_000);
  const sent = await ada.mail.send({
    to: ['bob', carol.mail.address],
    subject: 'Grüße',
    text: 'Here is the photo.\nAda',
    attachments: [await ada.mail.attach({ name: 'photo.jpg', type: 'image/jpeg', content: photo })],
  });
  expect(sent.deliveries.map(({ isSent, error }) => ({ isSent, error }))).toEqual([
    { isSent: true, error: undefined },
    { isSent: true, error: undefined },
  ]);
  // The mailbox has all of it by now: nobody needs the author.
  await ada.node.stop();
  expect(await bob.mail.sync()).toEqual({ received: 1, errors: [] });
  expect(await bob.mail.sync()).toEqual({ received: 0, errors: [] });
  const [row] = bob.mail.store.list({ box: 'in' });
  expect(row).toMatchObject({ author: ada.mail.address, subject: 'Grüße', isRead: false });
  const read = await bob.mail.read(hex(row!.id).slice(0, 8));
  expect(read.letter).toMatchObject({ text: 'Here is the photo.\nAda', to: [bob.mail.address, carol.mail.address] });
  const attachment = await bob.mail.attachment(read, 0, AbortSignal.timeout(30_000));
  expect(Buffer.compare(attachment, photo)).toBe(0);
  const answer = await bob.mail.send({ to: [carol.mail.address], text: 'Seen?', replyTo: hex(row!.id) });
  expect(answer.letter.subject).toBe('Re: Grüße');
  expect(await carol.mail.sync()).toEqual({ received: 2, errors: [] });
  expect(carol.mail.store.list({ thread: row!.id }).map(({ subject }) => subject)).toEqual(['Re: Grüße', 'Grüße']);
  bob.mail.store.remove(row!);
  expect(bob.mail.store.list({ box: 'in' })).toEqual([]);
  expect([ada, bob, carol].flatMap(({ errors }) => errors)).toEqual([]);
});

it('the files of letters and the records of mailboxes are kept when garbage is collected', async () => {
  const dataDir = await directory();
  const { host, users } = await scene(2, await mailboxProvider({ dataDir }));
  const [ada, bob] = users as [User, User];
  const file = { name: 'film.mp4', type: 'video/mp4', content: randomBytes(3_000_000) };
  const { letter } = await ada.mail.send({ to: [bob.mail.address], attachments: [await ada.mail.attach(file)] });
  const record = await bob.node.resolveName(mailboxName(bob.node.libp2p.peerId), AbortSignal.timeout(30_000));
  const junk = await offer(host, randomBytes(100));
  await host.stop();
  await ada.node.stop();
  await age(dataDir);
  const again = await mailboxProvider({ dataDir });
  await again.pinning.collector.collect();
  const blocks = await openBlockstore(join(dataDir, 'blocks'));
  const kept = (cid: CID): Promise<Uint8Array> => buffered(blocks.get(cid));
  await expect(kept(junk)).rejects.toThrow();
  await kept(descriptorOf(record));
  expect((await fetchDag(letter.attachments[0]!.cid, kept)).bytes).toBeGreaterThan(3_000_000);
});

/** As if nothing of it had been used for two hours. */
async function age(data: string): Promise<void> {
  const old = new Date(Date.now() - 7_200_000);
  for (const entry of await readdir(join(data, 'blocks'), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), old, old);
  }
}

async function buffered(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

it('a letter arrives while one is connected, from several mailboxes once, and a lost delivery is made up for', async () => {
  const hosts = [await mailboxProvider(), await mailboxProvider()];
  const ada = await user(hosts.map(endpointOf));
  const bob = await user(hosts.map(endpointOf));
  await bob.mail.follow();
  const subjects: string[] = [];
  bob.mail.onLetter(({ subject }) => subjects.push(subject));
  await ada.mail.send({ to: [bob.mail.address], subject: 'first' });
  await vi.waitFor(() => expect(subjects).toEqual(['first']), WAIT);
  // Nobody has told where this one's mailbox is.
  const late = await consumer();
  const sent = await ada.mail.send({ to: [late.libp2p.peerId.toString(), bob.mail.address], subject: 'second' });
  expect(sent.deliveries.filter(({ isSent }) => !isSent)).toMatchObject([
    { recipient: late.libp2p.peerId.toString(), error: expect.stringContaining('SERVICE_NOT_FOUND') },
  ]);
  const carol = await user(hosts.map(endpointOf), { privateKey: late.privateKey });
  await ada.mail.sync();
  expect(await carol.mail.sync()).toMatchObject({ received: 1 });
  await vi.waitFor(() => expect(subjects).toEqual(['first', 'second']), WAIT);
  expect(ada.mail.store.undelivered()).toEqual([]);
});

it('a contact is verified only by the peer id that its owner told', async () => {
  const { users } = await scene(2);
  const [ada, bob] = users as [User, User];
  ada.mail.addContact('bob', bob.mail.address);
  expect(() => ada.mail.verifyContact('bob', ada.mail.address)).toThrow(
    expect.objectContaining({ code: 'KEY_MISMATCH' }),
  );
  expect(ada.mail.store.contacts()).toMatchObject([{ name: 'bob', isVerified: false }]);
  ada.mail.verifyContact('bob', ` ${bob.mail.address}\n`);
  expect(ada.mail.store.contacts()).toMatchObject([{ name: 'bob', isVerified: true }]);
  expect(() => ada.mail.addContact('bob', ada.mail.address)).toThrow(
    expect.objectContaining({ code: 'CONTACT_EXISTS' }),
  );
  expect(() => ada.mail.addContact('../x', ada.mail.address)).toThrow(
    expect.objectContaining({ code: 'CONTACT_INVALID' }),
  );
  await expect(ada.mail.send({ to: ['nobody'] })).rejects.toMatchObject({ code: 'CONTACT_UNKNOWN' });
});

it('whoever is blocked is refused by the mailbox, and what it left before is dropped', async () => {
  const { users } = await scene(2);
  const [eve, bob] = users as [User, User];
  await eve.mail.send({ to: [bob.mail.address], subject: 'before' });
  // What else our mailboxes were told stays as it is.
  await bob.mail.openAt(bob.mail.store.endpoints(), { payer: 'recipient', accept: 'anyone' });
  await bob.mail.setBlocked(eve.mail.address, true);
  expect(bob.mail.store.settings()).toEqual({ payer: 'recipient', accept: 'anyone' });
  const refused = await eve.mail.send({ to: [bob.mail.address], subject: 'after' });
  expect(refused.deliveries).toMatchObject([{ isSent: false, error: expect.stringContaining('SENDER_REFUSED') }]);
  expect(await bob.mail.sync()).toEqual({ received: 0, errors: [] });
  await bob.mail.setBlocked(eve.mail.address, false);
  await eve.mail.sync();
  expect(await bob.mail.sync()).toEqual({ received: 1, errors: [] });
});

it('a mailbox is closed after what waits in it was taken, and letters come to the others from then on', async () => {
  const hosts = [await mailboxProvider(), await mailboxProvider()];
  const [first, second] = hosts.map(({ peerId }) => peerId.toString()) as [string, string];
  const ada = await user([endpointOf(hosts[1]!)]);
  const bob = await user(hosts.map(endpointOf));
  await bob.mail.follow();
  await bob.mail.closeAt([first]);
  await ada.mail.send({ to: [bob.mail.address], subject: 'to the second' });
  await vi.waitFor(() => expect(bob.mail.store.list({}).length).toBe(1), WAIT);
  expect(hosts[0]!.mailboxes.peers()).toEqual([]);
  expect(bob.mail.store.endpoints().map(({ peer }) => peer)).toEqual([second]);
  await expect(bob.mail.closeAt([first])).rejects.toMatchObject({ code: 'NO_MAILBOX' });
  const carol = await user([endpointOf(hosts[1]!)]);
  await ada.mail.send({ to: [carol.mail.address], subject: 'waits' });
  expect(await carol.mail.closeAt([second])).toEqual([{ peer: second, messages: 0 }]);
  expect(carol.mail.store.list({}).map(({ subject }) => subject)).toEqual(['waits']);
  const late = await ada.mail.send({ to: [carol.mail.address], subject: 'too late' });
  expect(late.deliveries).toMatchObject([{ isSent: false, error: expect.stringContaining('MAILBOX_UNKNOWN') }]);
  // One that cannot be reached is closed later.
  await hosts[1]!.stop();
  expect(await bob.mail.closeAt([second])).toMatchObject([{ peer: second, error: { code: 'NO_ENDPOINT' } }]);
  expect(bob.mail.store.endpoints().map(({ peer }) => peer)).toEqual([second]);
});

it('a mailbox that could not be emptied is not closed, and takes letters as before', async () => {
  const { users, host } = await scene(2);
  const [ada, bob] = users as [User, User];
  const { node, mail } = bob;
  const [client, identity] = [mailboxClient(node), await generateMailKey()];
  const mailboxes = new OwnMailboxes({ client, store: mail.store, key: node.privateKey, identity });
  const provider = host.peerId.toString();
  const error = new Error('the disk is full');
  expect(await mailboxes.closeAt([provider], async () => [{ provider, error }])).toEqual([{ peer: provider, error }]);
  expect(mail.store.endpoints()).toHaveLength(1);
  const { deliveries } = await ada.mail.send({ to: [mail.address], subject: 'still there?' });
  expect(deliveries).toMatchObject([{ isSent: true }]);
});

/** Method: what a process that is killed leaves is what its store and the providers have by then; another takes over. */
it('a mailbox that was being closed by a process that was killed is ours again, and what was refused meanwhile arrives', async () => {
  const hosts = [await mailboxProvider(), await mailboxProvider()];
  const [first, second] = hosts.map(endpointOf);
  const ada = await user([first!]);
  const { mail, node } = await user([first!, second!]);
  const [client, identity] = [mailboxClient(node), await generateMailKey()];
  const killed = new OwnMailboxes({ client, store: mail.store, key: node.privateKey, identity });
  const told = Promise.withResolvers<void>();
  const peers = [first!.peer, second!.peer];
  let asked = 0;
  void killed.closeAt(peers, () => {
    if (++asked === peers.length) told.resolve();
    return new Promise(() => {});
  });
  // Whoever changes something meanwhile waits for it: a mailbox that took letters now could be closed with some in it.
  void killed.openAgain();
  await told.promise;
  const { deliveries } = await ada.mail.send({ to: [mail.address], subject: 'meanwhile' });
  expect(deliveries).toMatchObject([{ isSent: false, error: expect.stringContaining('MAILBOX_CLOSING') }]);
  expect(mail.store.closing()).toEqual(peers);
  expect((await mail.sync()).errors).toEqual([]);
  expect(mail.store.closing()).toEqual([]);
  expect(mail.store.endpoints()).toEqual([first, second]);
  await ada.mail.sync();
  expect(ada.mail.store.undelivered()).toEqual([]);
  expect(hosts.map(({ mailboxes }) => mailboxes.waiting(mail.address).messages)).toEqual([1, 1]);
});

it('a mailbox that cannot be told that it is not closed is told later', async () => {
  const host = await mailboxProvider();
  const { mail, node } = await user([endpointOf(host)]);
  const { peer } = endpointOf(host);
  mail.store.setEndpoints(mail.store.endpoints(), mail.store.settings(), [peer]);
  await host.stop();
  await vi.waitFor(() => expect(node.libp2p.getConnections(host.peerId)).toEqual([]), WAIT);
  expect(await mail.closeAt([peer])).toMatchObject([{ peer, error: { code: 'NO_ENDPOINT' } }]);
  expect((await mail.sync()).errors).toMatchObject([{ provider: peer }]);
  expect(mail.store.closing()).toEqual([peer]);
});

it('a letter to oneself is a note', async () => {
  const { users } = await scene(1);
  const [ada] = users as [User];
  await ada.mail.send({ to: [ada.mail.address], subject: 'milk' });
  expect(await ada.mail.sync()).toMatchObject({ received: 1 });
  expect(ada.mail.store.list({}).map(({ box, subject }) => [box, subject])).toEqual([
    ['in', 'milk'],
    ['out', 'milk'],
  ]);
});

import { randomBytes } from 'node:crypto';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { expect, it, vi } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import { MailboxClient } from '../provider/mailbox/index.ts';
import { encryptTo } from '../provider/mail/age.ts';
import { signLetter, type Letter } from '../provider/mail/letter.ts';
import { pad } from '../provider/mail/padding.ts';
import { makePublication } from '../provider/services/index.ts';
import { encodeMessage, openDescriptor, sealDocument, serviceName } from '../sdk/protocol/index.ts';
import { consumer } from './fixtures.ts';
import { endpointOf, mailboxClient, mailboxProvider } from './mailbox-scene.ts';
import { delegatedRouter } from './name-servers.ts';
import { maintain } from './service-scene.ts';
import { hex, scene, user, type User } from './mail-scene.ts';

const WAIT = { timeout: 60_000, interval: 10 };

it('letters that are too much are refused before anything is sent', async () => {
  const { users } = await scene(1);
  const [ada] = users as [User];
  const to = [ada.mail.address];
  const crowd = Array.from({ length: 51 }, () => `c${randomBytes(4).toString('hex')}`);
  for (const name of crowd)
    ada.mail.addContact(name, peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString());
  await expect(ada.mail.send({ to: crowd })).rejects.toMatchObject({ code: 'TOO_MANY_RECIPIENTS' });
  await expect(ada.mail.send({ to: [] })).rejects.toMatchObject({ code: 'TOO_MANY_RECIPIENTS' });
  await expect(ada.mail.send({ to, text: 'x'.repeat(200_000) })).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
  await expect(ada.mail.send({ to, subject: 'two\nlines' })).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
  const file = { name: '../../.bashrc', type: 'text/plain', content: new Uint8Array(1) };
  const attachment = await ada.mail.attach(file);
  await expect(ada.mail.send({ to, attachments: [attachment] })).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
  expect(ada.mail.store.list({})).toEqual([]);
});

it('what is no letter to us is let go of: no age, for others, by others, replayed, reordered, forged, not padded, to thousands', async () => {
  const { host, users } = await scene(2);
  const [ada, bob] = users as [User, User];
  const eve = mailboxClient(await consumer());
  const { mailKey } = await new MailboxClient(ada.node).find(bob.node.libp2p.peerId);
  const at = await eve.at(endpointOf(host));
  const put = (body: Uint8Array) => at.put(bob.mail.address, randomBytes(16), body);
  const letter = (fields: Partial<Letter> = {}): Letter => {
    const id = randomBytes(16);
    return { id, thread: id, to: [bob.mail.address], timeMs: 1, subject: 'evil', text: '', attachments: [], ...fields };
  };
  const { privateKey: evesKey } = eve.node as Consumer;
  const sealed = async (document: Uint8Array) => encryptTo(mailKey!, pad(document));
  const signed = await signLetter(letter(), evesKey);
  // Ada's own, as the mailbox saw it: it can be put again by whoever keeps it.
  const adas = await signLetter(letter({ subject: 'by ada' }), ada.node.privateKey);
  await put(randomBytes(500));
  await put(new Uint8Array());
  await put(Buffer.from('age-encryption.org/v1\n-> X25519 nonsense\n'));
  await put(await encryptTo(mailKey!, signed));
  await put(await sealed(randomBytes(100)));
  await put(await sealed(adas));
  await put(await sealed(await signLetter(letter({ to: [ada.mail.address] }), evesKey)));
  const broken = Buffer.from(signed);
  broken[broken.length - 20]! ^= 1;
  await put(await sealed(broken));
  // Our own commands do not sign that.
  const crowd = { ...letter(), to: Array.from({ length: 3_000 }, () => bob.mail.address) };
  await put(await sealed(await sealDocument('letter', { version: 1, ...crowd }, evesKey)));
  expect(await bob.mail.sync()).toEqual({ received: 0, errors: [] });
  expect(bob.errors.length).toBe(9);
  expect(host.mailboxes.waiting(bob.mail.address).messages).toBe(0);
  // The same letter under other ids, as a mailbox could deliver it again and again, in any order.
  await put(await sealed(signed));
  await put(await sealed(signed));
  expect(await bob.mail.sync()).toEqual({ received: 1, errors: [] });
  const [row] = bob.mail.store.list({ box: 'in' });
  bob.mail.store.remove(row!);
  await put(await sealed(signed));
  expect(await bob.mail.sync()).toEqual({ received: 0, errors: [] });
  // The answer before what it answers, and once more behind it.
  const first = letter({ subject: 'first' });
  const answer = letter({ subject: 'second', thread: first.id, replyTo: first.id });
  for (const one of [answer, first, answer]) await put(await sealed(await signLetter(one, evesKey)));
  expect(await bob.mail.sync()).toEqual({ received: 2, errors: [] });
  const thread = bob.mail.store.list({ thread: first.id }).map(({ subject }) => subject);
  expect(thread.toSorted()).toEqual(['first', 'second']);
  expect((await bob.mail.read(hex(answer.id))).letter.replyTo).toEqual(new Uint8Array(first.id));
});

it('a flood of messages of services that do not exist holds no letter up, and a full disk loses none of them', async () => {
  const { host, users } = await scene(2);
  const [ada, bob] = users as [User, User];
  const eve = await mailboxClient(await consumer()).at(endpointOf(host));
  const put = async (): Promise<void> => {
    const from = serviceName((await generateKeyPair('Ed25519')).publicKey);
    const fields = { id: randomBytes(16), from, to: bob.mail.address, timeMs: 1, followUps: 0, body: Buffer.from('x') };
    await eve.put(bob.mail.address, randomBytes(16), encodeMessage(fields));
  };
  for (let i = 0; i < 30; i++) await put();
  await ada.mail.send({ to: [bob.mail.address], subject: 'through' });
  const resolving = vi.spyOn(bob.node, 'newestName');
  const adding = vi.spyOn(bob.mail.store, 'add').mockImplementationOnce(() => {
    throw new Error('the disk is full');
  });
  expect(await bob.mail.sync()).toMatchObject({ received: 0, errors: [{ error: { message: 'the disk is full' } }] });
  adding.mockRestore();
  await vi.waitFor(async () => {
    await bob.mail.sync();
    expect(bob.mail.store.list({ box: 'in' }).length).toBe(31);
  }, WAIT);
  expect(resolving.mock.calls.length).toBeLessThanOrEqual(8);
  expect(bob.errors).toEqual([]);
});

it('who was an endpoint of a service once cannot write in its name, though it is the first to be asked who may', async () => {
  const former = await mailboxProvider({ config: { services: { host: 'anyone' } } });
  const { key, handler, publication } = await maintain(await consumer(), [former]);
  const { name: from } = publication;
  const { url, records } = await delegatedRouter();
  const bob = await user([endpointOf(former)], { routing: { bootstrap: [former.addrs[0]!], delegated: [url] } });
  const write = async (text: string): Promise<void> => {
    const fields = { from, to: bob.mail.address, timeMs: 1, followUps: 0, body: Buffer.from(text) };
    const message = encodeMessage({ id: randomBytes(16), ...fields });
    await former.mailboxes.leave(bob.mail.address, randomBytes(16), message, 60_000);
    expect(await bob.mail.sync()).toEqual({ received: 1, errors: [] });
  };
  const authors = (): string[] => bob.mail.store.list({ box: 'in' }).map(({ author }) => author);
  await write('while it is one');
  expect(authors()).toEqual([from]);
  const newer = await makePublication(key, { handler, endpoints: [] }, 2);
  records.set(from, Buffer.from(newer.record));
  const { cid, bytes } = await openDescriptor(newer.descriptor);
  await bob.node.blocks.put(cid, bytes);
  await write('later');
  expect(authors().toSorted()).toEqual([from, former.peerId.toString()].toSorted());
});

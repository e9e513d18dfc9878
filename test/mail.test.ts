import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import type { CID } from 'multiformats/cid';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import { MailboxClient, mailboxName } from '../provider/mailbox/index.ts';
import { openMail, type Mail } from '../provider/mail/index.ts';
import { encryptTo, generateMailKey } from '../provider/mail/age.ts';
import { signLetter, type Letter } from '../provider/mail/letter.ts';
import { OwnMailboxes } from '../provider/mail/own-mailboxes.ts';
import { pad } from '../provider/mail/padding.ts';
import type { Provider } from '../provider/provider.ts';
import { descriptorOf, makePublication } from '../provider/services/index.ts';
import { fetchDag, openBlockstore } from '../provider/store/index.ts';
import { encodeMessage, openDescriptor, sealDocument, serviceName } from '../sdk/protocol/index.ts';
import { consumer, directory, offer } from './fixtures.ts';
import { endpointOf, mailboxClient, mailboxProvider } from './mailbox-scene.ts';
import { delegatedRouter } from './name-servers.ts';
import { startProvider } from './processes.ts';
import { maintain } from './service-scene.ts';

const WAIT = { timeout: 60_000, interval: 10 };

interface User {
  node: Consumer;
  mail: Mail;
  errors: unknown[];
}

/** Somebody with mail whose mailbox is at these providers. */
async function user(
  hosts: { peer: string; addrs: string[] }[],
  options: Parameters<typeof consumer>[0] = {},
): Promise<User> {
  const node = await consumer({ routing: { bootstrap: hosts.map(({ addrs }) => addrs[0]!) }, ...options });
  const errors: unknown[] = [];
  const mail = await openMail({ node, dataDir: undefined, onError: (error) => errors.push(error) });
  onTestFinished(() => mail.close());
  await mail.openAt(hosts);
  return { node, mail, errors };
}

async function scene(names: number, host?: Provider) {
  const at = host ?? (await mailboxProvider());
  const users: User[] = [];
  for (let i = 0; i < names; i++) users.push(await user([endpointOf(at)]));
  return { host: at, users };
}

function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

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

it('letters of about the same length are of one size for the mailbox', async () => {
  const { host, users } = await scene(2);
  const [ada, bob] = users as [User, User];
  for (const text of ['', 'yes', 'no', 'x'.repeat(300)])
    await ada.mail.send({ to: [bob.mail.address], subject: text.slice(0, 40), text });
  const endpoint = await mailboxClient(bob.node).at(endpointOf(host));
  const { messages } = await endpoint.list();
  expect(new Set(messages.map(({ bytes }) => bytes)).size).toBe(1);
});

it('the provider of a mailbox has no word of a letter, on its disk or in its memory', async () => {
  const files = await directory();
  const data = join(files, 'provider');
  const config = join(files, 'workswap.toml');
  await writeFile(config, '[mailbox]\nhost = "anyone"\n');
  const host = await startProvider({ data, config });
  try {
    const place = { peer: host.peerId, addrs: host.addrs };
    const [ada, bob] = [await user([place]), await user([place])];
    const secret = randomBytes(24).toString('hex');
    const words = {
      subject: `subject-${secret}`,
      text: `text-${secret}`,
      name: `name-${secret}.txt`,
      content: `content-${secret}`,
    };
    const sent = await ada.mail.send({
      to: [bob.mail.address],
      subject: words.subject,
      text: words.text,
      attachments: [
        await ada.mail.attach({
          name: words.name,
          type: 'text/plain',
          content: Buffer.from(words.content.repeat(1000)),
        }),
      ],
    });
    expect(sent.deliveries).toMatchObject([{ isSent: true }]);
    // What it does know is found: the search works.
    const known = [ada.mail.address, bob.mail.address];
    const found = await search(host.child.pid!, data, [secret, ...known]);
    expect(found.get(secret)).toEqual([]);
    for (const peer of known) expect(found.get(peer)).toEqual(expect.arrayContaining(['disk', 'memory']));
    await bob.mail.sync();
    const read = await bob.mail.read(hex(sent.id));
    expect(read.letter.text).toBe(words.text);
    const attachment = await bob.mail.attachment(read, 0, AbortSignal.timeout(30_000));
    expect(Buffer.from(attachment).toString()).toBe(words.content.repeat(1000));
    expect((await search(host.child.pid!, data, [secret])).get(secret)).toEqual([]);
  } finally {
    await host.kill();
  }
});

const PAGE_BYTES = 4096;
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Where each word stands: in a file below `data`, or in the memory of the process, as one or two bytes a character. */
async function search(pid: number, data: string, words: string[]): Promise<Map<string, string[]>> {
  const found = new Map(words.map((word) => [word, [] as string[]]));
  const look = (bytes: Buffer, where: string): void => {
    for (const [word, places] of found) {
      const isThere = bytes.includes(word) || bytes.includes(Buffer.from(word, 'utf16le'));
      if (isThere && !places.includes(where)) places.push(where);
    }
  };
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) look(await readFile(join(entry.parentPath, entry.name)), 'disk');
  }
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const memory = await open(`/proc/${pid}/mem`);
  const pages = await open(`/proc/${pid}/pagemap`);
  try {
    for (const line of (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n')) {
      const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (range === null) continue;
      const [start, end] = [Number(`0x${range[1]}`), Number(`0x${range[2]}`)];
      // Overlapping by a page, so that nothing hides at an edge.
      for (let at = start; at < end; at += CHUNK_BYTES - PAGE_BYTES) {
        const length = Math.min(CHUNK_BYTES, end - at);
        // The engine reserves gigabytes that it never touches.
        const entries = Buffer.alloc((length / PAGE_BYTES) * 8);
        await pages.read(entries, 0, entries.length, (at / PAGE_BYTES) * 8);
        if (entries.every((byte, i) => i % 8 !== 7 || (byte & 0xc0) === 0)) continue;
        const read = await memory.read(chunk, 0, length, at).catch(() => undefined);
        if (read !== undefined) look(chunk.subarray(0, read.bytesRead), 'memory');
      }
    }
  } finally {
    await memory.close();
    await pages.close();
  }
  return found;
}

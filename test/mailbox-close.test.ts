import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { DEFAULT_SETTINGS } from '../provider/mailbox/index.ts';
import { MAILBOX_LIMITS, type MailboxLimits } from '../provider/mailbox/limits.ts';
import { mailboxSchema } from '../provider/mailbox/store/schema.ts';
import { MailboxStore } from '../provider/mailbox/store/store.ts';
import { isFinal } from '../provider/messages/errors.ts';
import { migrate, openDatabase } from '../provider/store/index.ts';
import { directory } from './fixtures.ts';
import { endpointOf, mailboxProvider, recipient, sender } from './mailbox-scene.ts';

const WAIT = { timeout: 60_000, interval: 10 };
const body = Buffer.alloc(100, 'x');
const limits = Object.fromEntries(
  Object.entries(MAILBOX_LIMITS).map(([name, limit]) => [name, limit.default]),
) as MailboxLimits;

it('a mailbox that its owner closes gives nothing away, its senders can tell, and it can be opened anew', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const [ada, eve] = [await sender(host), await sender(host)];
  const [own, adas, eves] = [
    await bob.client.at(endpointOf(host)),
    await ada.client.at(endpointOf(host)),
    await eve.client.at(endpointOf(host)),
  ];
  const ids = Array.from({ length: 4 }, () => randomBytes(16));
  for (const id of ids) await adas.put(bob.peer, id, body);
  const { messages } = await own.take({ limit: 2 });
  await own.acknowledge(messages.slice(0, 1));
  // Nobody closes somebody else's.
  await expect(eves.closeMailbox()).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN' });
  expect(await own.closeMailbox()).toEqual({ messages: 3, priceBytes: 0 });
  const states = async () => (await adas.status(bob.peer, ids)).map(({ state }) => state);
  expect(await states()).toEqual(['acknowledged', 'closed', 'closed', 'closed']);
  expect(await ada.client.status(bob.peer, ids[1]!)).toMatchObject({ state: 'closed', sinceMs: expect.any(Number) });
  const refused = { code: 'MAILBOX_UNKNOWN' };
  await expect(adas.put(bob.peer, randomBytes(16), body)).rejects.toMatchObject(refused);
  await expect(own.take()).rejects.toMatchObject(refused);
  await expect(own.acknowledge(messages)).rejects.toMatchObject(refused);
  await expect(own.closeMailbox()).rejects.toMatchObject(refused);
  await vi.waitFor(() => expect(host.mailboxes.figures(1).totals).toMatchObject({ messages: 0, bytes: 0 }), WAIT);
  expect(await states()).toEqual(['acknowledged', 'closed', 'closed', 'closed']);
  await own.open(DEFAULT_SETTINGS);
  expect((await own.take()).messages).toEqual([]);
  // What was closed can be sent once more; what was read cannot.
  expect((await adas.put(bob.peer, ids[1]!, body)).state).toBe('waiting');
  expect((await adas.put(bob.peer, ids[0]!, body)).state).toBe('acknowledged');
  expect((await own.take()).messages.map(({ id }) => Buffer.from(id))).toEqual([ids[1]]);
});

it('the operator closes a mailbox: its owner is told that there is none, and may open another', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  await ada.client.send(bob.peer, body);
  const peer = bob.peer.toString();
  expect(host.mailboxes.figures(10)).toMatchObject({
    mailboxes: [{ peer, payer: 'sender', messages: 1, bytes: 356, oldestMs: expect.any(Number) }],
    totals: { mailboxes: 1, messages: 1, bytes: 356 },
  });
  expect(await host.mailboxes.close(peer)).toEqual({ messages: 1, priceBytes: 0 });
  await expect(host.mailboxes.close(peer)).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN' });
  expect(host.mailboxes.figures(10)).toMatchObject({ mailboxes: [], totals: { mailboxes: 0 } });
  expect(await bob.inbox.takeAll()).toMatchObject([{ error: { code: 'MAILBOX_UNKNOWN' } }]);
  await (await bob.client.at(endpointOf(host))).open(DEFAULT_SETTINGS);
  await ada.client.send(bob.peer, body);
  expect(await bob.inbox.takeAll()).toEqual([]);
  expect(host.mailboxes.counts()).toMatchObject({ stored: 2, acknowledged: 1, closed: 1 });
});

it('where the recipient pays, both ends have booked the same after it has closed', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host], { settings: { ...DEFAULT_SETTINGS, payer: 'recipient' } });
  const ada = await sender(host);
  const own = await bob.client.at(endpointOf(host));
  for (let i = 0; i < 3; i++) await ada.client.send(bob.peer, body);
  const { messages } = await own.take({ limit: 1 });
  await own.acknowledge(messages);
  const { priceBytes } = await own.closeMailbox();
  expect(priceBytes).toBe(2 * messages[0]!.priceBytes);
  const charged = host.scoreLedger.getAccount(bob.peer).workSent;
  expect(charged).toBe(3 * messages[0]!.priceBytes);
  expect(bob.node.scoreLedger.getAccount(host.peerId).workRecv).toBe(charged);
});

/** Goal: a large mailbox is closed at once and cleared bit by bit, whatever comes in between, a restart too. */
it('what waited in a mailbox that was closed never comes back, also when it is opened again before all is cleared', async () => {
  const path = join(await directory(), 'mailbox.sqlite');
  let store = await MailboxStore.open(openDatabase(path), limits);
  const again = async (): Promise<void> => {
    await store.close();
    store = await MailboxStore.open(openDatabase(path), limits);
  };
  const open = () => store.run<'opened'>({ do: 'open', peer: 'bob', settings: DEFAULT_SETTINGS });
  const put = (id: Uint8Array) =>
    store.run<'stored' | 'known'>({
      do: 'put',
      put: { to: 'bob', from: 'ada', id, body, ttlMs: 1e9, recipientPriceBytes: 0 },
    });
  const { mailbox } = await open();
  const ids = Array.from({ length: 50 }, () => randomBytes(16));
  await Promise.all(ids.map(put));
  const old = store.heads(mailbox, 0, 50);
  await store.run({ do: 'close', peer: 'bob' });
  expect(store.mailboxOf('bob')).toBeUndefined();
  await again();
  await open();
  expect(store.waiting(mailbox)).toEqual({ messages: 0, bytes: 0 });
  expect(await put(ids[10]!)).toMatchObject({ is: 'stored' });
  expect(await put(ids[10]!)).toEqual({ is: 'known', state: 'waiting' });
  let left = 49;
  while (store.nextExpiryMs() === 0) {
    expect(store.heads(mailbox, 0, 50).map(({ id }) => Buffer.from(id))).toEqual([ids[10]]);
    expect(store.status('bob', 'ada', ids[49]!).state).toBe('closed');
    // An acknowledgement of what was there before means nothing.
    const sequences = old.map(({ sequence }) => sequence);
    expect(await store.run({ do: 'acknowledge', mailbox, sequences })).toMatchObject({ count: 0 });
    await store.run({ do: 'sweep', rowsMax: 10 });
    await again();
    left = Math.max(0, left - 10);
    expect(store.totals()).toMatchObject({ mailboxes: 1, messages: left + 1, bytes: (left + 1) * 356 });
  }
  expect(left).toBe(0);
  expect(ids.map((id) => store.status('bob', 'ada', id).state)).toEqual(
    ids.map((_, i) => (i === 10 ? 'waiting' : 'closed')),
  );
  expect(store.waiting(mailbox)).toEqual({ messages: 1, bytes: 356 });
  // Closed with nothing to remember, nothing of it stays.
  await store.run({ do: 'open', peer: 'eve', settings: DEFAULT_SETTINGS });
  await store.run({ do: 'close', peer: 'eve' });
  expect(store.peers()).toEqual(['bob']);
  await store.close();
});

it('mailboxes of a provider from before they could be closed are open, with all that waits in them', async () => {
  const database = openDatabase(join(await directory(), 'mailbox.sqlite'));
  migrate(database, { ...mailboxSchema, steps: mailboxSchema.steps.slice(0, 2) });
  const id = randomBytes(16);
  const { sqlite } = database;
  sqlite.exec(`INSERT INTO mailboxes (id, peer, accept, payer) VALUES (7, 'bob', 'anyone', 'sender')`);
  sqlite.prepare(`INSERT INTO messages VALUES (3, 7, 'ada', ?, 0, 1000000000, 0, 100, ?)`).run(id, body);
  for (const usage of [`7, 'ada'`, `7, ''`, `0, ''`]) sqlite.exec(`INSERT INTO usage VALUES (${usage}, 1, 356)`);
  const store = await MailboxStore.open(database, limits);
  expect(store.peers()).toEqual(['bob']);
  expect(store.heads(7, 0, 10).map((head) => store.message(head)?.body)).toEqual([new Uint8Array(body)]);
  await store.run({ do: 'close', peer: 'bob' });
  expect(store.status('bob', 'ada', id).state).toBe('closed');
  await store.run({ do: 'sweep', rowsMax: 10 });
  expect(store.totals()).toMatchObject({ mailboxes: 0, messages: 0, bytes: 0 });
  await store.close();
});

it.each([3, 4])(
  'who still has the id of a mailbox that is gone means nobody else (tables of step %i)',
  async (step) => {
    const database = openDatabase(join(await directory(), 'mailbox.sqlite'));
    migrate(database, { ...mailboxSchema, steps: mailboxSchema.steps.slice(0, step) });
    database.sqlite.exec(`INSERT INTO mailboxes (id, peer, accept, payer) VALUES (1, 'bob', 'anyone', 'sender')`);
    const store = await MailboxStore.open(database, limits);
    const bobs = store.mailboxOf('bob')!.id;
    expect(bobs).toBe(1);
    const put = { to: 'eve', from: 'ada', id: randomBytes(16), body, ttlMs: 1e9, recipientPriceBytes: 0 };
    // All that is asked for in one turn is one commit: bob's acknowledgement comes behind eve's message in it.
    const [, , stored, acknowledged] = await Promise.all([
      store.run({ do: 'close', peer: 'bob' }),
      store.run({ do: 'open', peer: 'eve', settings: DEFAULT_SETTINGS }),
      store.run<'stored'>({ do: 'put', put }),
      store.run({ do: 'acknowledge', mailbox: bobs, sequences: [1] }),
    ]);
    expect(stored.sequence).toBe(1);
    expect(acknowledged).toMatchObject({ count: 0 });
    expect(store.heads(bobs, 0, 10)).toEqual([]);
    expect(store.heads(store.mailboxOf('eve')!.id, 0, 10)).toMatchObject([{ sequence: 1, from: 'ada' }]);
    await store.close();
  },
);

it('a mailbox that is about to be closed refuses for the time being, not for good', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  const [own, adas] = [await bob.client.at(endpointOf(host)), await ada.client.at(endpointOf(host))];
  const ids = [randomBytes(16), randomBytes(16)] as const;
  await adas.put(bob.peer, ids[0], body);
  await own.open({ ...DEFAULT_SETTINGS, accept: 'nobody' });
  const refusal = await adas.put(bob.peer, ids[1], body).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'MAILBOX_CLOSING', retryable: true });
  expect(isFinal(refusal)).toBe(false);
  // What it has, it still has.
  expect((await adas.put(bob.peer, ids[0], body)).state).toBe('waiting');
  await own.open(DEFAULT_SETTINGS);
  expect((await adas.put(bob.peer, ids[1], body)).state).toBe('waiting');
});

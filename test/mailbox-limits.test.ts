import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { rm, writeFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { DEFAULT_SETTINGS, priceOf, type MailboxEndpoint } from '../provider/mailbox/index.ts';
import { MailboxStore } from '../provider/mailbox/store/store.ts';
import { MAILBOX_LIMITS, type MailboxLimits } from '../provider/mailbox/limits.ts';
import { openDatabase } from '../provider/store/index.ts';
import { consumer, directory } from './fixtures.ts';
import { endpointOf, mailboxClient, mailboxProvider, recipient, sender } from './mailbox-scene.ts';
import { canMount, startProvider } from './processes.ts';

const WAIT = { timeout: 60_000, interval: 10 };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const body = Buffer.alloc(100, 'x');

async function put(endpoint: MailboxEndpoint, to: string, options = {}): Promise<unknown> {
  return endpoint.put(to, randomBytes(16), body, options);
}

function code(error: unknown): unknown {
  return (error as { code?: string }).code;
}

it('one sender cannot fill a mailbox, all together not more than the recipient is allowed, and taking makes room', async () => {
  const host = await mailboxProvider({
    config: { mailbox: { host: 'anyone', messagesPerSenderMax: 3, messagesPerRecipientMax: 5 } },
  });
  const bob = await recipient([host]);
  const to = bob.peer.toString();
  const [ada, eve] = [await sender(host), await sender(host)];
  const [adas, eves] = [await ada.client.at(endpointOf(host)), await eve.client.at(endpointOf(host))];
  // All at once: the quota is decided where the messages are written, one after the other.
  const flood = await Promise.allSettled(Array.from({ length: 50 }, () => put(adas, to)));
  expect(flood.filter(({ status }) => status === 'fulfilled').length).toBe(3);
  expect(new Set(flood.flatMap((r) => (r.status === 'rejected' ? [code(r.reason)] : [])))).toEqual(
    new Set(['SENDER_LIMIT']),
  );
  await put(eves, to);
  await put(eves, to);
  await expect(put(eves, to)).rejects.toMatchObject({ code: 'MAILBOX_FULL', retryable: true });
  await bob.inbox.takeAll();
  expect(bob.received.length).toBe(5);
  await put(adas, to);
});

it('a recipient decides whose messages it takes', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const to = bob.peer.toString();
  const [ada, eve] = [await sender(host), await sender(host)];
  const [adas, eves] = [await ada.client.at(endpointOf(host)), await eve.client.at(endpointOf(host))];
  const own = await bob.client.at(endpointOf(host));
  const [adaId, eveId] = [ada, eve].map(({ node }) => node.libp2p.peerId.toString()) as [string, string];
  await own.open({ ...DEFAULT_SETTINGS, blocked: [eveId] });
  await put(adas, to);
  await expect(put(eves, to)).rejects.toMatchObject({ code: 'SENDER_REFUSED' });
  await own.open({ ...DEFAULT_SETTINGS, accept: 'allowed', allowed: [eveId] });
  await put(eves, to);
  await expect(put(adas, to)).rejects.toMatchObject({ code: 'SENDER_REFUSED' });
  expect(adaId).not.toBe(eveId);
});

it('nobody has a mailbox who was not allowed one, and there is none to put into', async () => {
  const host = await mailboxProvider({ config: { mailbox: { host: 'allowed' } } });
  const stranger = mailboxClient(await consumer());
  const endpoint = await stranger.at(endpointOf(host));
  await expect(endpoint.open(DEFAULT_SETTINGS)).rejects.toMatchObject({ code: 'MAILBOX_REFUSED' });
  await expect(put(endpoint, stranger.node.libp2p.peerId.toString())).rejects.toMatchObject({
    code: 'MAILBOX_UNKNOWN',
  });
  await expect(endpoint.take()).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN' });
});

it('the sender pays for the time that a message is kept, both ledgers agree, and nobody pays twice', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  const endpoint = await ada.client.at(endpointOf(host));
  const rates = await endpoint.rates();
  const week = priceOf(body.length, 7 * DAY_MS, rates);
  const quarter = priceOf(body.length, 90 * DAY_MS, rates);
  expect(quarter).toBeGreaterThan(week);
  const id = randomBytes(16);
  for (let i = 0; i < 3; i++) await endpoint.put(bob.peer, id, body, { ttlMs: 7 * DAY_MS });
  await put(endpoint, bob.peer.toString(), { ttlMs: 90 * DAY_MS });
  const hosts = host.scoreLedger.getAccount(ada.node.libp2p.peerId);
  expect(hosts.workSent).toBe(week + quarter);
  expect(hosts.reserved).toBe(0);
  expect(ada.node.scoreLedger.getAccount(host.peerId).workRecv).toBe(week + quarter);
  await expect(put(endpoint, bob.peer.toString(), { priceMaxBytes: week - 1 })).rejects.toMatchObject({
    code: 'PRICE_EXCEEDED',
  });
  await expect(put(endpoint, bob.peer.toString(), { ttlMs: 1 })).rejects.toMatchObject({ code: 'TTL_REFUSED' });
  await expect(put(endpoint, bob.peer.toString(), { ttlMs: 4000 * DAY_MS })).rejects.toMatchObject({
    code: 'TTL_REFUSED',
  });
});

it('a sender without credit is refused, and where the recipient pays it is the recipient whose credit counts', async () => {
  const host = await mailboxProvider({
    config: { mailbox: { host: 'anyone' }, credit: { newcomerLineBytes: 8192, refreshBytesPerSecond: 0 } },
  });
  const settings = { ...DEFAULT_SETTINGS, payer: 'recipient' as const };
  const [bob, carol] = [await recipient([host]), await recipient([host], { settings })];
  const ada = await sender(host);
  const endpoint = await ada.client.at(endpointOf(host));
  const fill = async (to: string): Promise<[number, unknown]> => {
    for (let count = 0; ; count++) {
      const refusal = await put(endpoint, to).then(() => undefined, code);
      if (refusal !== undefined) return [count, refusal];
    }
  };
  const price = priceOf(body.length, 7 * DAY_MS, await endpoint.rates());
  const many = Math.floor(8192 / price);
  expect(await fill(bob.peer.toString())).toEqual([many, 'OVER_CREDIT']);
  expect(await fill(carol.peer.toString())).toEqual([many, 'NOT_PAID_FOR']);
  expect(host.scoreLedger.getAccount(carol.peer).workSent).toBe(many * price);
  await carol.inbox.takeAll();
  expect(carol.node.scoreLedger.getAccount(host.peerId).workRecv).toBe(many * price);
});

it('a message that nobody fetched ends with its time, and its sender can tell', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  const ada = await sender(host);
  const endpoint = await ada.client.at(endpointOf(host));
  const id = randomBytes(16);
  await endpoint.put(bob.peer, id, body, { ttlMs: 1000 });
  await put(endpoint, bob.peer.toString());
  await vi.waitFor(() => expect(host.mailboxes.waiting(bob.peer.toString()).messages).toBe(1), WAIT);
  expect(await endpoint.status(bob.peer, [id])).toMatchObject([{ state: 'expired' }]);
  expect(await endpoint.put(bob.peer, id, body)).toEqual({ state: 'expired', priceBytes: 0 });
  await bob.inbox.takeAll();
  expect(bob.received.length).toBe(1);
});

it('a peer can leave messages for itself', async () => {
  const host = await mailboxProvider();
  const bob = await recipient([host]);
  await bob.client.send(bob.peer, Buffer.from('a note'));
  await bob.inbox.takeAll();
  expect(bob.received).toMatchObject([{ text: 'a note', from: bob.peer.toString() }]);
});

/** Goal: a clock that jumps, while running or over a restart, ends no message early and keeps none for ever. */
it.each([
  ['forward by ten years', 10 * 365 * DAY_MS],
  ['back by ten years', -10 * 365 * DAY_MS],
])('a wall clock that jumps %s loses no message', async (_, jumpMs) => {
  const path = join(await directory(), 'mailbox.sqlite');
  const limits = Object.fromEntries(
    Object.entries(MAILBOX_LIMITS).map(([name, limit]) => [name, limit.default]),
  ) as MailboxLimits;
  const clock = { wall: Date.now(), monotonic: 0, wallMs: () => clock.wall, monotonicMs: () => clock.monotonic };
  let store = await MailboxStore.open(openDatabase(path), limits, clock);
  const { mailbox } = await store.run<'opened'>({ do: 'open', peer: 'bob', settings: DEFAULT_SETTINGS });
  const message = { to: 'bob', from: 'ada', body, ttlMs: DAY_MS, recipientPriceBytes: 0 };
  await store.run({ do: 'put', put: { ...message, id: randomBytes(16) } });
  const waiting = async (): Promise<number> => {
    await store.run({ do: 'sweep', rowsMax: 100 });
    return store.heads(mailbox, 0, 10).length;
  };
  clock.wall += jumpMs;
  expect(await waiting()).toBe(1);
  // Jumps over a restart count for an hour at most.
  for (const hours of [1, 2]) {
    await store.close();
    clock.wall += jumpMs;
    store = await MailboxStore.open(openDatabase(path), limits, clock);
    expect(await waiting()).toBe(1);
    expect(store.nowMs()).toBeLessThanOrEqual(hours * HOUR_MS);
  }
  clock.monotonic += DAY_MS;
  expect(await waiting()).toBe(0);
  await store.close();
});

it.skipIf(!canMount())(
  'on a full disk messages are refused, none that was accepted is lost, and it goes on',
  async () => {
    const MIB = 1024 * 1024;
    const files = await directory();
    const [bob, ada] = [await consumer(), await consumer()];
    const to = bob.libp2p.peerId.toString();
    const config = join(files, 'workswap.toml');
    const unlimited = [bob, ada].map((node) => `${node.libp2p.peerId.toString()} = "unlimited"`);
    await writeFile(config, `[mailbox]\nhost = "anyone"\n[credit.overrides]\n${unlimited.join('\n')}\n`);
    const data = await directory();
    const host = await startProvider({ data, config, diskBytes: 24 * MIB });
    try {
      const place = { peer: host.peerId, addrs: host.addrs };
      const box = await mailboxClient(bob).at(place);
      await box.open(DEFAULT_SETTINGS);
      const sending = await mailboxClient(ada).at(place);
      let accepted = 0;
      const send = async (): Promise<void> => {
        await sending.put(to, randomBytes(16), Buffer.alloc(32 * 1024, String(accepted)));
        accepted++;
      };
      await send();
      const filler = join(`/proc/${host.child.pid}/root`, data, 'filler');
      await expect(writeFile(filler, new Uint8Array(32 * MIB))).rejects.toThrow('ENOSPC');
      let refusal: unknown;
      while (refusal === undefined) await send().catch((error: unknown) => (refusal = error));
      expect(refusal).toMatchObject({ code: 'STORE_FULL', retryable: true });
      expect((refusal as Error).message).not.toContain(data);
      const { waiting } = await box.list();
      expect(waiting.messages).toBe(accepted);
      await rm(filler);
      await vi.waitFor(() => send(), WAIT);
      let read = 0;
      for (;;) {
        const { messages } = await box.take();
        if (messages.length === 0) break;
        read += await box.acknowledge(messages);
      }
      expect(read).toBe(accepted);
      expect(await host.stop()).toBe(0);
    } finally {
      await host.kill();
    }
  },
);

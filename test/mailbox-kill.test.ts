import { randomBytes, randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { DEFAULT_SETTINGS, type MailboxClient, type MailboxEndpoint } from '../provider/mailbox/index.ts';
import { consumer, directory, LISTEN } from './fixtures.ts';
import { mailboxClient } from './mailbox-scene.ts';
import { startProcess } from './processes.ts';

const IS_LONG = process.env['WORKSWAP_LONG'] !== undefined;
const KILLS = IS_LONG ? 200 : 8;
const MESSAGES = IS_LONG ? 10_000 : 2_000;
const SENDERS = 3;
const WINDOW = 32;
const CHILD = fileURLToPath(new URL('./mailbox-kill-child.ts', import.meta.url));

interface Host {
  peerId: string;
  addrs: string[];
  kill(): Promise<void>;
  stop(): Promise<number | null>;
}

/** A provider's process, loaded, that starts when it is told to: the next one loads while one is at work. */
async function load(dataDir: string, config: object): Promise<{ start(): Promise<Host>; kill(): Promise<void> }> {
  const { child, event, kill, stop } = startProcess(
    [process.execPath, CHILD, dataDir, JSON.stringify(config)],
    'the provider',
    'pipe',
  );
  await event('loaded');
  return {
    kill,
    async start() {
      child.stdin!.write('start\n');
      const { peerId, addrs } = (await event('ready')) as { peerId: string; addrs: string[] } & Record<string, unknown>;
      return { peerId, addrs, kill, stop };
    },
  };
}

/** Messages of one sender, each with its number; what a crash left open is sent again under the same ids. */
class Outbox {
  readonly ids: Buffer[];
  readonly #client: MailboxClient;
  readonly #to: string;
  /** All before it were acknowledged by the provider. */
  sent = 0;

  constructor(client: MailboxClient, to: string, count: number) {
    this.#client = client;
    this.#to = to;
    this.ids = Array.from({ length: count }, () => randomBytes(16));
  }

  /** Sends until `end` or until the provider is gone. */
  async sendTo(host: Host, end: number, onProgress: () => void): Promise<void> {
    const endpoint = await this.#client.at({ peer: host.peerId, addrs: host.addrs });
    while (this.sent < end) {
      const window = this.ids.slice(this.sent, Math.min(end, this.sent + WINDOW));
      const answers = await Promise.allSettled(
        window.map((id, i) => endpoint.put(this.#to, id, Buffer.from(String(this.sent + i)))),
      );
      const failed = answers.findIndex(({ status }) => status === 'rejected');
      this.sent += failed === -1 ? window.length : failed;
      if (failed !== -1) throw (answers[failed] as PromiseRejectedResult).reason as Error;
      onProgress();
    }
  }
}

/** One device of the recipient: notes what comes, and whether anything comes that must not. */
class Reader {
  readonly numbers = new Map<string, number[]>();
  readonly wrong: string[] = [];
  readonly #acknowledged = new Set<string>();

  /** Takes until nothing is left. */
  async readAll(endpoint: MailboxEndpoint, onProgress: () => void): Promise<number> {
    let count = 0;
    for (;;) {
      const { messages } = await endpoint.take({ limit: 1 + randomInt(60) });
      if (messages.length === 0) return count;
      for (const { from, id, body } of messages) {
        const number = Number(Buffer.from(body).toString());
        const key = `${from} ${Buffer.from(id).toString('hex')}`;
        if (this.#acknowledged.has(key)) this.wrong.push(`${number} of ${from} came back`);
        const seen = this.numbers.get(from) ?? [];
        this.numbers.set(from, seen);
        // Again after a crash it may come, but nothing may come for the first time out of order.
        if (!seen.includes(number)) {
          if (number !== seen.length) this.wrong.push(`${number} of ${from} came after ${seen.length - 1}`);
          seen.push(number);
        }
      }
      // Some acknowledge only a part before they are gone.
      const part = messages.slice(0, 1 + randomInt(messages.length));
      for (const acknowledged of new Set([part, messages])) {
        await endpoint.acknowledge(acknowledged);
        for (const { from, id } of acknowledged) this.#acknowledged.add(`${from} ${Buffer.from(id).toString('hex')}`);
      }
      count += messages.length;
      onProgress();
    }
  }
}

/**
 * Goal: whatever moment a provider is killed at, no message that it accepted is lost, each sender's stay in order, and none
 * that was acknowledged as read returns. Method: senders and a recipient at work, `kill -9` after a random number of their
 * steps, and everything is asked again of the next process.
 */
it(`${KILLS} kills: no accepted message is lost, none that was read returns, all stay in order`, async () => {
  const data = await directory();
  const bob = await consumer();
  const to = bob.libp2p.peerId.toString();
  const nodes = await Promise.all(Array.from({ length: SENDERS }, () => consumer()));
  const unlimited = [bob, ...nodes].map((node) => [node.libp2p.peerId.toString(), 'unlimited'] as const);
  const config = {
    node: { listen: [LISTEN] },
    mailbox: { host: 'anyone' },
    credit: { overrides: Object.fromEntries(unlimited) },
    // No handler runs here.
    sandbox: { threads: 1, spareThreads: 0 },
  };
  const outboxes = nodes.map((node) => new Outbox(mailboxClient(node), to, Math.ceil(MESSAGES / SENDERS)));
  const reading = mailboxClient(bob);
  const reader = new Reader();

  async function round(host: Host, part: number, onProgress: () => void): Promise<void> {
    const box = await reading.at({ peer: host.peerId, addrs: host.addrs });
    await box.open(DEFAULT_SETTINGS);
    const ends = outboxes.map(({ ids }) => Math.ceil(ids.length * part));
    const sending = Promise.all(outboxes.map((outbox, i) => outbox.sendTo(host, ends[i]!, onProgress)));
    sending.catch(() => {});
    await reader.readAll(box, onProgress);
    await sending;
    await reader.readAll(box, onProgress);
  }

  let next = load(data, config);
  onTestFinished(async () => (await next).kill());
  for (let kill = 0; kill < KILLS; kill++) {
    const host = await (await next).start();
    next = load(data, config);
    let steps = 1 + randomInt(12);
    let killed: Promise<void> | undefined;
    const step = (): void => {
      if (--steps <= 0) killed ??= host.kill();
    };
    await round(host, (kill + 1) / KILLS, step).catch(() => {});
    await (killed ?? host.kill());
  }
  const host = await (await next).start();
  await round(host, 1, () => {});
  expect(await (await reading.at({ peer: host.peerId, addrs: host.addrs })).list()).toMatchObject({
    messages: [],
    waiting: { messages: 0, bytes: 0 },
  });
  expect(reader.wrong).toEqual([]);
  for (const [i, { libp2p }] of nodes.entries()) {
    const expected = outboxes[i]!.ids.map((_, number) => number);
    expect(reader.numbers.get(libp2p.peerId.toString())).toEqual(expected);
  }
  expect(await host.stop()).toBe(0);
});

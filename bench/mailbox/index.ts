import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createConsumer } from '../../provider/consumer.ts';
import { DEFAULT_SETTINGS, Inbox, MailboxClient, type MailboxEndpoint } from '../../provider/mailbox/index.ts';
import { startProvider } from '../../test/processes.ts';
import { median, percentile, spread } from '../measure.ts';
import type { Figure } from '../types.ts';

const BODY_BYTES = 1024;
const DEPTH = 256;
const ROUNDS = 5;
const PUTS_PER_ROUND = 10_000;
const INBOX_MESSAGES = 100_000;
const LATENCY_MESSAGES = 500;
const PAGES = 50;
const PAGE_MESSAGES = 50;

interface Sender {
  /** Seconds that it took. */
  put(to: string, count: number, depth: number): Promise<number>;
  stop(): void;
}

/** A provider, a sender and a recipient, each a process of its own; every put is durable when it is answered. */
export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'workswap-bench-'));
  const bob = await createConsumer();
  const to = bob.libp2p.peerId.toString();
  const config = join(directory, 'workswap.toml');
  // The recipient pays, so that its credit is the only one that must not end in the middle.
  await writeFile(
    config,
    `[mailbox]\nhost = "anyone"\nmessagesPerSenderMax = ${2 * INBOX_MESSAGES}\nbytesPerSenderMax = ${2 ** 32}
[credit.overrides]\n${to} = "unlimited"\n`,
  );
  const provider = await startProvider({ data: join(directory, 'provider'), config });
  const sender = await startSender(provider);
  const client = new MailboxClient(bob);
  const place = { peer: provider.peerId, addrs: provider.addrs };
  try {
    const endpoint = await client.at(place);
    await endpoint.open({ ...DEFAULT_SETTINGS, payer: 'recipient' });
    progress('warming up ...');
    await sender.put(to, 2000, DEPTH);
    const rates: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      rates.push(PUTS_PER_ROUND / (await sender.put(to, PUTS_PER_ROUND, DEPTH)));
      progress(`${Math.round(rates.at(-1)!)} puts/s`);
    }
    const single = 200 / (await sender.put(to, 200, 1));
    progress(`filling the inbox to ${INBOX_MESSAGES} messages ...`);
    const { waiting } = await endpoint.list({ limit: 1 });
    await sender.put(to, INBOX_MESSAGES - waiting.messages, DEPTH);
    const pages = await pageMs(endpoint);
    progress(`first page: ${median(pages).toFixed(1)} ms`);
    progress('reading all ...');
    const startMs = performance.now();
    const read = await readAll(endpoint);
    const readRate = read / ((performance.now() - startMs) / 1000);
    const latencies = await deliveries(client, place, () => sender.put(to, 1, 1));
    return [
      {
        name: 'putsPerSecond',
        value: median(rates),
        unit: '1/s',
        better: 'higher',
        goal: 5000,
        spread: spread(rates),
        note: `durable, ${BODY_BYTES} bytes, depth ${DEPTH}, one sender`,
      },
      { name: 'putsPerSecondAlone', value: single, unit: '1/s', better: 'higher', note: 'one at a time' },
      {
        name: 'deliveryP50Ms',
        value: percentile(latencies, 0.5),
        unit: 'ms',
        better: 'lower',
        goal: 10,
        spread: [percentile(latencies, 0.01), percentile(latencies, 0.99)],
        note: 'from the put of a sender to the inbox of a connected recipient; spread: 1 and 99 percent',
      },
      {
        name: 'inboxPageMs',
        value: median(pages),
        unit: 'ms',
        better: 'lower',
        goal: 50,
        spread: spread(pages),
        note: `the first ${PAGE_MESSAGES} of ${INBOX_MESSAGES}`,
      },
      {
        name: 'readsPerSecond',
        value: readRate,
        unit: '1/s',
        better: 'higher',
        note: 'taken and acknowledged in pages of 500',
      },
    ];
  } finally {
    sender.stop();
    await client.close();
    await bob.stop();
    await provider.stop();
    await rm(directory, { recursive: true });
  }
}

async function startSender({ peerId, addrs }: { peerId: string; addrs: string[] }): Promise<Sender> {
  const script = fileURLToPath(new URL('./sender.ts', import.meta.url));
  const child = spawn(process.execPath, [script, peerId, addrs[0]!], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('The sender ended');
    return value;
  };
  return {
    async put(to, count, depth) {
      child.stdin.write(`${to} ${count} ${BODY_BYTES} ${depth}\n`);
      return Number(await next());
    },
    stop: () => void child.kill(),
  };
}

async function pageMs(endpoint: MailboxEndpoint): Promise<number[]> {
  const ms: number[] = [];
  for (let i = 0; i < PAGES; i++) {
    const startMs = performance.now();
    await endpoint.list({ limit: PAGE_MESSAGES });
    ms.push(performance.now() - startMs);
  }
  return ms;
}

async function readAll(endpoint: MailboxEndpoint): Promise<number> {
  for (let count = 0; ;) {
    const { messages } = await endpoint.take({ limit: 500 });
    if (messages.length === 0) return count;
    count += await endpoint.acknowledge(messages);
  }
}

async function deliveries(
  client: MailboxClient,
  endpoint: { peer: string; addrs: string[] },
  send: () => Promise<unknown>,
): Promise<number[]> {
  const ms: number[] = [];
  let arrived = Promise.withResolvers<void>();
  const inbox = new Inbox({
    client,
    endpoints: [endpoint],
    receive: async ({ body }) => {
      const nowMs = performance.timeOrigin + performance.now();
      ms.push(nowMs - Buffer.from(body).readDoubleBE());
      arrived.resolve();
    },
  });
  await inbox.start();
  for (let i = 0; i < LATENCY_MESSAGES; i++) {
    arrived = Promise.withResolvers();
    await Promise.all([send(), arrived.promise]);
  }
  await inbox.stop();
  return ms;
}

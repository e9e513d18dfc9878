import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it, vi } from 'vitest';
import type { Client, PreparedTask } from '../provider/client.ts';
import { hostAt, makePublication } from '../provider/services/index.ts';
import { consumer, directory, offer } from './fixtures.ts';
import { inboxOf, messagingProvider, peerOf, postboxAt, postboxHandler } from './messages-scene.ts';
import { startProvider } from './processes.ts';
import { never } from './service-scene.ts';

const KILLS = 4;
const DEPTH = 8;
const UPDATES_PER_KILL_MAX = 60;

/**
 * Goal: whatever moment the sender's provider is killed at, every message of a committed update comes to the service that it
 * is for, once. Method: updates that send over libp2p, `kill -9` after a random number of answers, then every task of that
 * round once more; in the end the recipient has taken exactly one message of each update.
 */
it('a provider that is killed at any moment loses no message of a commit, and none is taken twice', async () => {
  const files = await directory();
  const config = join(files, 'workswap.toml');
  const receiver = await messagingProvider();
  const ada = await peerOf(receiver);
  const box = await postboxAt(ada, [receiver]);
  const caller = await consumer();
  await writeFile(
    config,
    `[services]\nhost = "anyone"\n[routing]\nbootstrap = ["${receiver.addrs[0]!}"]\n[credit.overrides]\n${caller.libp2p.peerId.toString()} = "unlimited"\n`,
  );
  const handler = await offer(caller, await postboxHandler());
  const key = await generateKeyPair('Ed25519');
  let name: string | undefined;
  const open = async (): Promise<{
    host: Awaited<ReturnType<typeof startProvider>>;
    client: Client;
    service: string;
  }> => {
    const host = await startProvider({ data: join(files, 'provider'), config });
    const client = await caller.connect(host.addrs);
    if (name === undefined) {
      const publication = await makePublication(
        key,
        { handler, endpoints: [{ peer: host.peerId, addrs: host.addrs }] },
        1,
      );
      await caller.libp2p.dial(host.addrs.map((addr) => multiaddr(addr)));
      await hostAt(caller.libp2p, peerIdFromString(host.peerId), publication, key, { signal: never });
      ({ name } = publication);
    }
    return { host, client, service: name };
  };
  const ask = async (client: Client, task: PreparedTask): Promise<void> => {
    const response = await client.run(task);
    await response.text();
    await response.receipt;
  };

  const all: PreparedTask[] = [];
  let round: PreparedTask[] = [];
  let taken = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const { host, client, service } = await open();
    await Promise.all(round.map((task) => ask(client, task)));
    round = [];
    const killAt = 1 + randomInt(UPDATES_PER_KILL_MAX - DEPTH);
    let answered = 0;
    let killed: Promise<void> | undefined;
    const work = async (): Promise<void> => {
      while (killed === undefined) {
        const request = { method: 'POST', path: `/?to=${box.name}`, body: `${all.length}` };
        const task = client.prepare(handler, request, { priceMaxBytes: 1024 * 1024 }, { service });
        all.push(task);
        round.push(task);
        await ask(client, task);
        answered += 1;
        if (answered >= killAt) killed ??= host.kill();
      }
    };
    await Promise.allSettled(Array.from({ length: DEPTH }, work));
    await killed;
    await client.close();
    taken = (await inboxOf(ada, box.name)).length;
  }
  // It was killed while messages waited: else nothing is shown.
  expect(taken).toBeLessThan(all.length);

  const { host, client } = await open();
  await Promise.all(round.map((task) => ask(client, task)));
  const wanted = all.map((_, i) => i);
  await vi.waitFor(
    async () => expect((await inboxOf(ada, box.name)).map(Number).sort((a, b) => a - b)).toEqual(wanted),
    { timeout: 60_000, interval: 100 },
  );
  await client.close();
  expect(await host.stop()).toBe(0);
  expect((await inboxOf(ada, box.name)).length).toBe(all.length);
});

import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { Client, PreparedTask } from '../provider/client.ts';
import { consumer, directory, offer } from './fixtures.ts';
import { askUntilKilled, serviceHost } from './kill-scene.ts';
import { inboxOf, messagingProvider, peerOf, postboxAt, postboxHandler } from './messages-scene.ts';

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
  const open = await serviceHost({ data: join(files, 'provider'), config, caller, handler });
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
    await askUntilKilled(host, { depth: DEPTH, killAt }, async () => {
      const request = { method: 'POST', path: `/?to=${box.name}`, body: `${all.length}` };
      const task = client.prepare(handler, request, { priceMaxBytes: 1024 * 1024 }, { service });
      all.push(task);
      round.push(task);
      await ask(client, task);
    });
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

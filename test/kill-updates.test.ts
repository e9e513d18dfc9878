import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Client, PreparedTask } from '../provider/client.ts';
import { readAccounts } from '../provider/ledger/index.ts';
import { openDatabase } from '../provider/store/index.ts';
import { openReceipt } from '../sdk/protocol/index.ts';
import { consumer, directory, offer } from './fixtures.ts';
import { askUntilKilled, serviceHost } from './kill-scene.ts';
import { notesHandler } from './service-scene.ts';

const KILLS = 5;
const DEPTH = 16;
/** The handler lists at most 1,000 notes. */
const UPDATES_PER_KILL_MAX = 120;

interface Sent {
  task: PreparedTask;
  /** What came back, and by which receipt; undefined while nothing was acknowledged. */
  answer?: string;
  receipt?: string;
}

/**
 * Goal: whatever moment a provider is killed at, each update is applied once, and an answer that was given is given again.
 * Method: updates over libp2p, `kill -9` after a random number of answers, then every task of that round once more.
 */
it('a provider that is killed at any moment applies every update once, and answers it again as before', async () => {
  const files = await directory();
  const data = join(files, 'provider');
  const config = join(files, 'workswap.toml');
  const caller = await consumer();
  const peer = caller.libp2p.peerId.toString();
  await writeFile(config, `[services]\nhost = "anyone"\n[credit.overrides]\n${peer} = "unlimited"\n`);
  const handler = await offer(caller, await notesHandler());
  const open = await serviceHost({ data, config, caller, handler });
  const ask = async (client: Client, sent: Sent): Promise<void> => {
    const response = await client.run(sent.task);
    const answer = await response.text();
    const receipt = (await response.receipt).cid.toString();
    if (sent.answer !== undefined) expect({ answer, receipt }).toEqual({ answer: sent.answer, receipt: sent.receipt });
    Object.assign(sent, { answer, receipt });
  };

  const all: Sent[] = [];
  let round: Sent[] = [];
  let unanswered = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const { host, client, service } = await open();
    unanswered += round.filter(({ answer }) => answer === undefined).length;
    await Promise.all(round.map((sent) => ask(client, sent)));
    round = [];
    const killAt = 1 + randomInt(UPDATES_PER_KILL_MAX - DEPTH);
    await askUntilKilled(host, { depth: DEPTH, killAt }, async () => {
      const request = { method: 'POST', path: '/', body: `${all.length}` };
      const sent: Sent = { task: client.prepare(handler, request, { priceMaxBytes: 1024 * 1024 }, { service }) };
      all.push(sent);
      round.push(sent);
      await ask(client, sent);
    });
    await client.close();
  }
  expect(unanswered).toBeGreaterThan(0);

  const { host, client, service } = await open();
  await Promise.all(round.map((sent) => ask(client, sent)));
  const query = await client.run(client.prepare(handler, { path: '/' }, { priceMaxBytes: 1024 * 1024 }, { service }));
  const notes = (await query.text()).trimEnd().split('\n').slice(1);
  await query.receipt;
  await client.close();
  expect(await host.stop()).toBe(0);
  const answers = all.map(({ answer }) => answer);
  expect(notes.map((note) => [answers[Number(note)], Number(note)])).toEqual(
    notes.map((note, i) => [`note ${i + 1}`, Number(note)]),
  );
  expect(notes).toHaveLength(all.length);

  // The ledger holds one receipt of each update: the one that the consumer has.
  const receipts = readReceipts(join(data, 'ledger.sqlite'));
  const updates = receipts.filter(({ task }) => all.some((sent) => sent.task.task.toString() === task));
  expect(updates.map(({ cid }) => cid).sort()).toEqual(all.map(({ receipt }) => receipt).sort());
  const [account] = readAccounts(join(data, 'ledger.sqlite')).filter((one) => one.peer === peer);
  expect(account!.workSent).toBe(receipts.reduce((total, { price }) => total + price, 0));
});

function readReceipts(path: string): { cid: string; price: number; task: string }[] {
  const database = openDatabase(path, { readOnly: true });
  try {
    return database.sqlite
      .prepare('SELECT cid, price, bytes FROM receipts')
      .all()
      .map((row) => {
        const { receipt } = openReceipt(row['bytes'] as Uint8Array);
        return { cid: row['cid'] as string, price: row['price'] as number, task: receipt.task.toString() };
      });
  } finally {
    database.close();
  }
}

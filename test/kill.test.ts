import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { readAccounts } from '../provider/ledger/index.ts';
import { openDatabase } from '../provider/store/index.ts';
import { consumer, directory, handler, offer } from './fixtures.ts';
import { startProvider } from './processes.ts';

const KILLS = 20;
const DEPTH = 16;
const LIMITS = { priceMaxBytes: 1024 * 1024, outputBytesMax: 16 * 1024, memoryPagesMax: 16 };

/**
 * Goal: whatever moment a provider is killed at, no receipt that a consumer holds is missing from its ledger, and none is
 * counted twice. Method: a running load, `kill -9` after a random number of answers, then the books of both sides.
 */
it('a provider that is killed at any moment forgets no job that it answered, and counts none twice', async () => {
  const files = await directory();
  const data = join(files, 'provider');
  const caller = await consumer();
  const config = join(files, 'workswap.toml');
  await writeFile(config, `[credit.overrides]\n${caller.libp2p.peerId.toString()} = "unlimited"\n`);
  const hello = await offer(caller, await handler('hello'));
  const held = new Map<string, number>();
  for (let kill = 0; kill < KILLS; kill++) {
    const host = await startProvider({ data, config });
    const client = await caller.connect(host.addrs);
    const killAt = held.size + 1 + randomInt(200);
    let killed: Promise<void> | undefined;
    const work = async (): Promise<void> => {
      for (;;) {
        const { receipt } = await client.call(hello, {}, LIMITS);
        const { cid, receipt: signed } = await receipt;
        held.set(cid.toString(), signed.priceBytes);
        if (held.size >= killAt) killed ??= host.kill();
      }
    };
    await Promise.allSettled(Array.from({ length: DEPTH }, work));
    await killed;
    await client.close();
  }
  // A clean start and stop folds everything that the last kill left in the log.
  const host = await startProvider({ data, config });
  expect(await host.stop()).toBe(0);
  const stored = new Map(readReceipts(join(data, 'ledger.sqlite')));
  const missing = [...held.keys()].filter((cid) => !stored.has(cid));
  expect(missing).toEqual([]);
  const [account] = readAccounts(join(data, 'ledger.sqlite')).filter(
    ({ peer }) => peer === caller.libp2p.peerId.toString(),
  );
  const sum = [...stored.values()].reduce((total, price) => total + price, 0);
  expect(account!.workSent).toBe(sum);
  expect(stored.size).toBeGreaterThanOrEqual(held.size);
  // What the provider booked beyond that had no time to reach the consumer: at most what was under way at each kill.
  expect(stored.size - held.size).toBeLessThanOrEqual(KILLS * DEPTH);
});

function readReceipts(path: string): [string, number][] {
  const database = openDatabase(path, { readOnly: true });
  try {
    const rows = database.sqlite.prepare('SELECT cid, price FROM receipts').all();
    return rows.map((row) => [row['cid'] as string, row['price'] as number]);
  } finally {
    database.close();
  }
}

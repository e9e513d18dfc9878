import { rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { consumer, directory, handler, hostile, offer } from './fixtures.ts';
import { makeFile, putAll } from './pin-scene.ts';
import { canMount, startProvider, workswap } from './processes.ts';

const MIB = 1024 * 1024;
const LIMITS = { priceMaxBytes: MIB, outputBytesMax: 16 * 1024, memoryPagesMax: 16 };

/**
 * Goal: a provider whose disk is full refuses with a typed error, forgets nothing that it answered, and goes on by itself
 * when there is space again. Method: a data directory on a small disk, a file that fills it, calls until one is refused.
 */
it.skipIf(!canMount())(
  'a provider without disk space refuses, forgets nothing, and goes on when there is space',
  async () => {
    const files = await directory();
    const caller = await consumer();
    const config = join(files, 'workswap.toml');
    await writeFile(config, `[credit.overrides]\n${caller.libp2p.peerId.toString()} = "unlimited"\n`);
    const data = await directory();
    const host = await startProvider({ data, config, diskBytes: 24 * MIB });
    try {
      const client = await caller.connect(host.addrs);
      const hello = await offer(caller, await handler('hello'));
      const reader = await offer(caller, await hostile());
      const prices: number[] = [];
      const call = async (module = hello): Promise<void> => {
        const { receipt } = await client.call(module, {}, LIMITS);
        prices.push((await receipt).receipt.priceBytes);
      };
      await call();
      await call(reader);

      const disk = join(`/proc/${host.child.pid}/root`, data);
      const filler = join(disk, 'filler');
      await expect(writeFile(filler, new Uint8Array(32 * MIB))).rejects.toThrow('ENOSPC');
      // What the database has set aside already is used up first.
      let refusal: unknown;
      while (refusal === undefined) await call().catch((error: unknown) => (refusal = error));
      expect(refusal).toMatchObject({ code: 'STORE_FULL', fault: 'provider', retryable: true });
      expect((refusal as Error).message).not.toContain(data);
      expect(await host.event('error')).toMatchObject({ error: { code: 'STORE_FULL' } });
      // A module that it would have to store is refused as well.
      const fresh = await offer(caller, await handler('wordcount'));
      await expect(client.call(fresh, {}, LIMITS)).rejects.toMatchObject({ code: 'STORE_FULL' });
      // So is a job that reads a block that it would have to store, without a word of where.
      const block = await offer(caller, new TextEncoder().encode('there is no room for this'));
      const path = `/loop?reads=${block.toString()}`;
      await expect(client.call(reader, { path }, LIMITS)).rejects.toMatchObject({
        code: 'BLOCK_UNAVAILABLE',
        message: 'The block is not available: The provider has no disk space left',
      });

      await rm(filler);
      let isWell = false;
      while (!isWell)
        isWell = await call().then(
          () => true,
          () => false,
        );
      const ledger = await workswap(['ledger', '--data', data, '--json'], { inDiskOf: host });
      const [account] = JSON.parse(ledger.stdout.toString()) as { workSent: number }[];
      expect(account!.workSent).toBe(prices.reduce((sum, price) => sum + price, 0));
      expect(await host.stop()).toBe(0);
    } finally {
      await host.kill();
    }
  },
);

/** Goal: a pin that finds no space says so, and is there once there is some. Method: as above, with a file of 8 MiB to pin and 4 MiB free. */
it.skipIf(!canMount())('a pin that does not fit on the disk says so, and is fetched when there is space', async () => {
  const data = await directory();
  const config = join(await directory(), 'workswap.toml');
  await writeFile(config, '[pinning]\nretryMsMin = 500\nretryMsMax = 500\n');
  const holder = await consumer();
  const dag = await makeFile(8 * MIB, 64 * 1024);
  await putAll(holder.blockstore, dag.blocks);
  const host = await startProvider({ data, config, diskBytes: 24 * MIB });
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await workswap(['pin', ...args, '--data', data, '--json'], { inDiskOf: host });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout.toString());
  };
  try {
    await holder.connect(host.addrs);
    const filler = join(`/proc/${host.child.pid}/root`, data, 'filler');
    await expect(writeFile(filler, new Uint8Array(32 * MIB))).rejects.toThrow('ENOSPC');
    await truncate(filler, (await stat(filler)).size - 4 * MIB);
    const { id } = await run('add', dag.root.toString());
    await expect.poll(() => run('status', id), { timeout: 60_000 }).toMatchObject({ error: { code: 'STORE_FULL' } });
    await rm(filler);
    await expect
      .poll(() => run('status', id), { timeout: 60_000 })
      .toMatchObject({ status: 'pinned', bytes: dag.bytes });
    expect(await host.stop()).toBe(0);
  } finally {
    await host.kill();
  }
});

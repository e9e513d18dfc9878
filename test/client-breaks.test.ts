import { expect, test } from 'vitest';
import { consumer, offer, provider } from './fixtures.ts';
import { randomBlocks } from './bitswap-host.ts';

/** Goal: whatever breaks when, a call ends. Method: the connection is cut after ever more turns of the event loop. */

test('a call and a question for the tariff end when the connection breaks while their stream is being opened', async () => {
  const host = await provider();
  const caller = await consumer();
  const [block] = await randomBlocks(1, 3_000);
  const noModule = await offer(caller, block!.bytes);
  const ends: string[] = [];
  for (let i = 0; i < 48; i++) {
    const client = await caller.connect(host.addrs).catch(() => undefined);
    if (client === undefined) continue;
    const asked: Promise<unknown> = i % 2 === 0 ? client.call(noModule) : client.tariff();
    const ended = asked.then(
      () => 'answered',
      (error: { code: string }) => error.code,
    );
    for (let turn = 0; turn < i / 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    for (const connection of host.libp2p.getConnections(caller.libp2p.peerId)) connection.abort(new Error('cut'));
    ends.push(await ended);
    await client.close();
  }
  expect(ends).toContain('PROVIDER_UNREACHABLE');
  const allowed = ['PROVIDER_UNREACHABLE', 'NOT_WASM', 'HANDLER_NOT_FOUND', 'answered'];
  expect(ends.filter((end) => !allowed.includes(end))).toEqual([]);
});

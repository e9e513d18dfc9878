import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import type { PersistentScoreLedger, Reconciled } from '../provider/ledger/index.ts';
import type { Provider } from '../provider/provider.ts';
import { randomBlocks, until } from './bitswap-host.ts';
import { consumer, hostile, offer, provider } from './fixtures.ts';

/**
 * Goal: two nodes that trade over connections which break at any moment agree in the end, up to what was on the wire,
 * and can name it. Method: random trades and cuts between real nodes; then their own reconciliation over the network.
 * The same with crashes and every order of frames, on a model of the wire, is provider/ledger/two-sides.test.ts.
 */

type Step = { kind: 'call' | 'give' | 'take'; cutAfter: number | undefined };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('call', 'give', 'take'),
  // How many turns of the event loop after its start the connection is cut; undefined: not at all.
  cutAfter: fc.option(fc.nat(30), { nil: undefined, freq: 2 }),
});

interface Pair {
  host: Provider;
  caller: Consumer;
  module: Awaited<ReturnType<typeof offer>>;
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

function cut({ host, caller }: Pair): void {
  for (const connection of host.libp2p.getConnections(caller.libp2p.peerId)) connection.abort(new Error('cut'));
}

async function play(pair: Pair, { kind, cutAfter }: Step): Promise<void> {
  const { host, caller, module } = pair;
  await until(() => {
    const [ours, theirs] = [
      caller.libp2p.getConnections(host.peerId),
      host.libp2p.getConnections(caller.libp2p.peerId),
    ];
    return ours.length === theirs.length && ours.every(({ status }) => status === 'open');
  });
  const client = await caller.connect(host.addrs);
  await client.tariff();
  const stop = new AbortController();
  const doing = start().catch(() => undefined);
  if (cutAfter === undefined) await doing;
  else {
    await turns(cutAfter);
    cut(pair);
    await until(() => caller.libp2p.getConnections(host.peerId).length === 0);
    stop.abort();
    await doing;
  }
  await client.close().catch(() => undefined);

  async function start(): Promise<unknown> {
    if (kind === 'call') {
      const response = await client.call(module, {}, { priceMaxBytes: 1024 * 1024 }, { signal: stop.signal });
      return response.receipt;
    }
    const [block] = await randomBlocks(1, 50_000);
    const [giver, taker] = kind === 'give' ? [caller, host] : [host, caller];
    await giver.blocks.put(block!.cid, block!.bytes);
    return taker.bitswap.get(block!.cid, { peers: [giver.libp2p.peerId], signal: stop.signal });
  }
}

/** Nothing is under way between the two any more. */
async function quiet({ host, caller }: Pair): Promise<void> {
  await until(
    () =>
      host.stats().jobs.running === 0 &&
      host.scoreLedger.getAccount(caller.libp2p.peerId).reserved === 0 &&
      caller.scoreLedger.getAccount(host.peerId).reserved === 0,
  );
}

/** Asked again while something that was sent is still being counted. */
async function compare({ host, caller }: Pair): Promise<Reconciled> {
  await caller.connect(host.addrs);
  await until(() => host.libp2p.getConnections(caller.libp2p.peerId).length > 0);
  return caller.reconciler.reconcile(host.peerId);
}

test('whenever connections break, what differs is named to the byte, and receipts that are shown again settle it', async () => {
  const pair: Pair = { host: await provider(), caller: await consumer(), module: undefined as never };
  const { host, caller } = pair;
  pair.module = await offer(caller, await hostile());
  let cuts = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), async (steps) => {
      for (const one of steps) {
        await play(pair, one);
        if (one.cutAfter !== undefined) cuts += 1;
      }
      await quiet(pair);
      const { differences, ours, theirs } = await compare(pair);
      let lost = 0;
      for (const { total, cause, bytes, receipts } of differences) {
        expect(bytes).toBeGreaterThan(0);
        expect(['RECEIPT_NOT_RECEIVED', 'BLOCKS_NOT_COUNTED']).toContain(cause);
        if (cause !== 'RECEIPT_NOT_RECEIVED') continue;
        expect(total).toBe('work done for us');
        lost += bytes;
        for (const cid of receipts) {
          const stored = (host.scoreLedger as PersistentScoreLedger).receipts.get(cid.toString())!;
          const record = { cid: stored.cid, bytes: stored.bytes! };
          expect(await caller.scoreLedger.receiveWork(host.peerId, stored.priceBytes, record)).toBe(true);
        }
      }
      expect(theirs.workSent - ours.workRecv).toBe(lost);
      const after = caller.scoreLedger.getAccount(host.peerId);
      expect(after.workRecv).toBe(host.scoreLedger.getAccount(caller.libp2p.peerId).workSent);
    }),
    { numRuns: 6 },
  );
  expect(cuts).toBeGreaterThan(0);
});

import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import type { CID } from 'multiformats/cid';
import { afterAll, afterEach, expect, onTestFinished, test } from 'vitest';
import { createScoreLedger, type CreditPolicy, type PersistentScoreLedger } from '../provider/ledger/index.ts';
import { createNode } from '../provider/node/index.ts';
import { openDatabase } from '../provider/store/index.ts';
import { price, rawCid, type Receipt } from '../sdk/protocol/index.ts';
import { connect, type Host, putAll, randomBlocks, startHost, stopHosts, until } from './bitswap-host.ts';
import { RawPeer, startRawPeer } from './bitswap-raw-peer.ts';
import { BITSWAP_PROTOCOLS } from '../provider/bitswap/index.ts';
import { consumer, hostile, offer, provider } from './fixtures.ts';
import { lyingProvider, RATES, sealOne, type Lie } from './lying-provider.ts';

/**
 * Goal: what test/ledger-attacks.test.ts shows of the ledger holds of a node as attackers meet it: over the network.
 * Method: real nodes; the gain is what the attacker holds in its hands, minus what it gave.
 */

const KIB = 1024;
const LINE = 256 * KIB;
const BLOCK = 32 * KIB;
const printed: string[][] = [['attack over the network', 'gain (KiB)', 'bound (KiB)']];

afterEach(stopHosts);
afterAll(() => {
  const widths = [0, 1, 2].map((column) => Math.max(...printed.map((row) => row[column]!.length)));
  const lines = printed.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))),
  );
  console.log(`\n${lines.map((cells) => cells.join('  ')).join('\n')}\n`);
});

function judge(attack: string, gainBytes: number, boundBytes: number): void {
  printed.push([attack, (gainBytes / KIB).toFixed(1), (boundBytes / KIB).toFixed(1)]);
  expect(gainBytes).toBeLessThanOrEqual(boundBytes);
}

interface Victim extends Host {
  score: PersistentScoreLedger;
}

async function startVictim(policy: Partial<CreditPolicy> = {}): Promise<Victim> {
  const database = openDatabase(':memory:');
  const score = createScoreLedger({
    database,
    policy: { newcomerLineBytes: LINE, refreshBytesPerSecond: 0, strangerPoolRefreshBytesPerSecond: 0, ...policy },
  });
  onTestFinished(() => {
    score.stop();
    database.close();
  });
  return { ...(await startHost({ ledger: score as never })), score };
}

function bytesOf(peer: RawPeer): number {
  return peer.blocks.reduce((sum, { length }) => sum + length, 0);
}

/** Asks for everything and waits until each want is answered one way or the other. */
async function take(victim: Victim, peer: RawPeer, blocks: { cid: CID }[]): Promise<void> {
  const before = peer.blocks.length + peer.presences.length;
  await peer.want(victim.peerId, ...blocks.map(({ cid }) => ({ cid })));
  await peer.until((raw) => raw.blocks.length + raw.presences.length >= before + blocks.length);
}

test('reconnecting, twenty times', async () => {
  const victim = await startVictim();
  const blocks = await randomBlocks(40, BLOCK);
  await putAll(victim.blockstore, blocks);
  const peer = await startRawPeer();
  for (let round = 0; round < 20; round++) {
    await connect(peer.libp2p, victim.libp2p);
    await take(victim, peer, blocks.slice(round, round + 12));
    await peer.libp2p.hangUp(victim.peerId);
    await until(() => victim.libp2p.getConnections(peer.peerId).length === 0);
  }
  judge('reconnect 20 times', bytesOf(peer), LINE);
  expect(bytesOf(peer)).toBe(LINE);
});

test('twelve identities at once', async () => {
  const victim = await startVictim({ strangerPoolBytes: 3 * LINE });
  const blocks = await randomBlocks(12, BLOCK);
  await putAll(victim.blockstore, blocks);
  const peers = await Promise.all(Array.from({ length: 12 }, () => startRawPeer()));
  await Promise.all(
    peers.map(async (peer) => {
      await connect(peer.libp2p, victim.libp2p);
      await take(victim, peer, blocks);
    }),
  );
  const gain = peers.reduce((sum, peer) => sum + bytesOf(peer), 0);
  judge('12 identities at once', gain, 3 * LINE);
  expect(gain).toBe(3 * LINE);
});

test('two connections of one identity', async () => {
  const victim = await startVictim();
  const blocks = await randomBlocks(40, BLOCK);
  await putAll(victim.blockstore, blocks);
  // Two nodes with one key: two connections that know nothing of each other.
  const key = await generateKeyPair('Ed25519');
  const limits = { connectionsMax: 10, connectionRatePerHostMax: 100, streamsPerConnectionMax: 1_000 };
  const twins = await Promise.all(
    [1, 2].map(async () => {
      const libp2p = await createNode({ privateKey: key, listen: [], ...limits });
      await libp2p.start();
      onTestFinished(() => libp2p.stop());
      const twin = new RawPeer(libp2p, BITSWAP_PROTOCOLS);
      await twin.start();
      await libp2p.dial(victim.libp2p.getMultiaddrs());
      return twin;
    }),
  );
  const [one, two] = twins as [RawPeer, RawPeer];
  await until(() => victim.libp2p.getConnections(one.peerId).length === 2);
  await Promise.all([
    one.want(victim.peerId, ...blocks.slice(0, 20).map(({ cid }) => ({ cid }))),
    two.want(victim.peerId, ...blocks.slice(20).map(({ cid }) => ({ cid }))),
  ]);
  const seen = (): number => twins.reduce((sum, { blocks: got, presences }) => sum + got.length + presences.length, 0);
  await until(() => seen() >= blocks.length);
  judge('two connections at once', bytesOf(one) + bytesOf(two), LINE);
});

/** Offers bytes to the victim and asks what they earned: more than what it wanted would be a gain. */
test('junk, unwanted blocks, and one wanted block pushed fifty times', async () => {
  const victim = await startVictim();
  const peer = await startRawPeer();
  await connect(peer.libp2p, victim.libp2p);
  const earned = (): number => victim.score.getAccount(peer.peerId).recv;

  const unwanted = await randomBlocks(50, BLOCK);
  for (const block of unwanted) await peer.block(victim.peerId, block);
  const [wanted] = await randomBlocks(1, BLOCK);
  const lie = { cid: wanted!.cid, bytes: unwanted[0]!.bytes };
  const got = victim.bitswap.get(wanted!.cid, { peers: [peer.peerId] });
  await peer.until(({ wants }) => wants.some(({ cid }) => Buffer.compare(cid, wanted!.cid.bytes) === 0));
  for (let i = 0; i < 10; i++) await peer.block(victim.peerId, lie);
  await peer.block(victim.peerId, ...Array.from({ length: 25 }, () => wanted!));
  await got;
  await peer.block(victim.peerId, ...Array.from({ length: 25 }, () => wanted!));
  // A block of its own that comes after all of these on the same connection shows that they were looked at.
  const [last] = await randomBlocks(1, 1_000);
  const end = victim.bitswap.get(last!.cid, { peers: [peer.peerId] });
  await peer.until(({ wants }) => wants.some(({ cid }) => Buffer.compare(cid, last!.cid.bytes) === 0));
  await peer.block(victim.peerId, last!);
  await end;
  judge('50 unwanted, 10 false, 50 times the same block', earned() - BLOCK - 1_000, 0);
  expect(earned()).toBe(BLOCK + 1_000);
});

test('work that is cancelled just before its end, again and again', async () => {
  const lineBytes = 4 * KIB * KIB;
  const host = await provider({
    config: { credit: { newcomerLineBytes: lineBytes, refreshBytesPerSecond: 0, growthPercent: 0 } },
  });
  const caller = await consumer();
  const client = await caller.connect(host.addrs);
  const loops = await offer(caller, await hostile());
  let refused = 0;
  for (let i = 0; refused === 0 && i < 200; i++) {
    const stop = new AbortController();
    const call = client.call(loops, { path: '/loop' }, { priceMaxBytes: lineBytes / 4 }, { signal: stop.signal });
    const ended = call.then(
      () => 'done',
      (error: { code?: string }) => error.code ?? 'cancelled',
    );
    const running = until(() => host.stats().sandbox.running > 0).then(() => 'running');
    if ((await Promise.race([ended, running])) === 'OVER_CREDIT') refused += 1;
    else {
      stop.abort();
      await ended;
      await until(() => host.stats().jobs.running === 0);
    }
  }
  const { sent, ghost, recv } = host.scoreLedger.getAccount(caller.libp2p.peerId);
  expect(sent).toBe(0);
  expect(ghost).toBeGreaterThan(0);
  expect(refused).toBe(1);
  judge('cancel until refused', ghost - recv, lineBytes);
});

/** Work that a consumer has booked after asking for the same job `times` times, and what an honest provider had got. */
async function booked(lie: Lie, times = 1): Promise<{ workRecv: number; honest: number; answers: string[] }> {
  const caller = await consumer();
  let honest = 0;
  const liar = await lyingProvider((receipt, key, limits) => {
    honest += receipt.priceBytes;
    return lie(receipt, key, limits);
  });
  const client = await caller.connect(liar.getMultiaddrs().map(String));
  const request = { timeMs: 1, seed: new Uint8Array(32) };
  const limits = { priceMaxBytes: PRICE_MAX, fuelMax: 1_000_000_000 };
  const answers: string[] = [];
  for (let i = 0; i < times; i++) {
    const answer = client.call(rawCid(new Uint8Array(1)), request, limits).then((response) => response.receipt);
    answers.push(
      await answer.then(
        () => 'booked',
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      ),
    );
  }
  return { workRecv: caller.scoreLedger.getAccount(liar.peerId).workRecv, honest, answers };
}

const PRICE_MAX = KIB * KIB;
const other = await generateKeyPair('Ed25519');
const otherId = peerIdFromPrivateKey(other).toString();
const somebody = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

test('the provider of these tests is believed when it does not lie', async () => {
  const { workRecv, honest, answers } = await booked(sealOne, 2);
  expect([workRecv, answers]).toEqual([honest, ['booked', 'booked']]);
});

const refused: [string, string, Lie][] = [
  [
    'a price that does not follow',
    'price',
    (receipt, key) => sealOne({ ...receipt, priceBytes: receipt.priceBytes + 1 }, key),
  ],
  ['a price over the limit of the task', 'priceMax', (receipt, key) => over(receipt, key, { readBytes: PRICE_MAX })],
  ['more fuel than was allowed', 'fuel', (receipt, key, { fuelMax }) => over(receipt, key, { fuel: fuelMax + 1 })],
  [
    'more output than was sent',
    'outputBytes',
    (receipt, key) => over(receipt, key, { outputBytes: receipt.usage.outputBytes + 1 }),
  ],
  ["another consumer's receipt", 'consumer', (receipt, key) => sealOne({ ...receipt, consumer: somebody }, key)],
  ["another provider's receipt", 'provider', (receipt) => sealOne({ ...receipt, provider: otherId }, other)],
  ['a receipt that somebody else has signed', 'does not hold', (receipt) => sealOne(receipt, other)],
  ['a receipt of another task', 'task', (receipt, key) => sealOne({ ...receipt, task: receipt.input }, key)],
  ['a tariff that nobody saw', 'tariff', (receipt, key) => sealOne({ ...receipt, tariff: receipt.input }, key)],
  ['no receipt at all', 'does not hold', () => new Uint8Array()],
];

test.each(refused)('a provider that sends %s', async (what, reason, lie) => {
  const { workRecv, answers } = await booked(lie);
  expect(answers).toEqual([expect.stringMatching(new RegExp(`^PROVIDER_MISBEHAVED.*${reason}`))]);
  judge(`over-report: ${what}`, workRecv, 0);
});

test('a provider that shows one receipt for ten jobs', async () => {
  let first: Uint8Array | undefined;
  const { workRecv, honest } = await booked((receipt, key) => (first ??= sealOne(receipt, key)), 10);
  judge('one receipt for ten jobs of the same task', workRecv - honest / 10, 0);
  expect(workRecv).toBe(honest / 10);
});

test('a provider that claims all that the task allows', async () => {
  // Nothing on the wire can tell; running the task again can (`workswap verify`). The bound is the consumer's own.
  const { workRecv, honest } = await booked((receipt, key) => {
    const left = PRICE_MAX - receipt.priceBytes;
    return over(receipt, key, { readBytes: left - (left % KIB) });
  });
  expect(workRecv).toBeGreaterThan(honest);
  judge('over-report: as much as the task allows', workRecv - honest, PRICE_MAX);
});

/** Claims more, and a price that follows from it. */
function over(receipt: Receipt, key: PrivateKey, usage: Partial<Receipt['usage']>): Uint8Array {
  const claimed = { ...receipt.usage, ...usage };
  return sealOne({ ...receipt, usage: claimed, priceBytes: price(RATES, claimed) }, key);
}

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { migrate, openDatabase } from '../store/sqlite/index.ts';
import { OverCreditError } from './errors.ts';
import { createScoreLedger } from './ledger.ts';
import { readAccounts } from './ledger-file.ts';
import { ledgerSchema } from './schema.ts';
import { ManualClock, memoryLedger, testDirectory, testPeer, testPeers, testRecord } from './testing.ts';
import type { PersistentScoreLedger } from './ledger.ts';
import type { PeerId } from '@libp2p/interface';

const LINE = 1_000_000;
const policy = { newcomerLineBytes: LINE, refreshBytesPerSecond: 1_000, growthPercent: 0 };

function refusal(ledger: PersistentScoreLedger, peer: PeerId, bytes: number): OverCreditError {
  try {
    ledger.abandon(ledger.reserve(peer, bytes, 'work'), 0);
  } catch (error) {
    if (error instanceof OverCreditError) return error;
    throw error;
  }
  throw new Error(`${bytes} bytes were granted`);
}

function room(ledger: PersistentScoreLedger, peer: PeerId): number {
  const { limit, balance, reserved } = ledger.getAccount(peer);
  return limit - balance - reserved;
}

describe('time', () => {
  test('forgives debt at the refresh rate, and nothing beyond the debt', async () => {
    const { ledger, clock } = memoryLedger({ policy });
    const peer = await testPeer(1);
    ledger.addToSentBytes(peer, 10_000);
    clock.pass(4_000);
    expect(ledger.getAccount(peer)).toMatchObject({ balance: 6_000, forgiven: 4_000, sent: 10_000 });
    clock.pass(3_600_000);
    expect(ledger.getAccount(peer)).toMatchObject({ balance: 0, forgiven: 10_000 });
  });

  test('without debt is not saved up', async () => {
    const { ledger, clock } = memoryLedger({ policy });
    const peer = await testPeer(1);
    ledger.addToSentBytes(peer, 1);
    clock.pass(10_000_000);
    ledger.addToSentBytes(peer, 10_000);
    expect(ledger.getAccount(peer).balance).toBe(10_000);
  });

  test('makes room when the refusal said so, and not a millisecond earlier', async () => {
    const { ledger, clock } = memoryLedger({ policy });
    const peer = await testPeer(1);
    ledger.addToSentBytes(peer, LINE);
    const { waitMs, reason } = refusal(ledger, peer, 5_000);
    expect({ waitMs, reason }).toEqual({ waitMs: 5_000, reason: 'limit' });
    clock.pass(4_999);
    expect(refusal(ledger, peer, 5_000).waitMs).toBe(1);
    clock.pass(1);
    ledger.abandon(ledger.reserve(peer, 5_000, 'work'), 0);
  });

  test('never makes room for a request over the whole limit', async () => {
    const { ledger } = memoryLedger({ policy });
    const peer = await testPeer(1);
    expect(refusal(ledger, peer, LINE + 1).waitMs).toBeNull();
    ledger.addToReceivedBytes(peer, 1);
    ledger.abandon(ledger.reserve(peer, LINE + 1, 'work'), 0);
  });

  test('goes on while the node is down, from the moment that was persisted', async () => {
    const path = join(testDirectory(), 'ledger.sqlite');
    const clock = new ManualClock();
    const peer = await testPeer(1);
    const run = (work: (ledger: PersistentScoreLedger) => void) => {
      const database = openDatabase(path);
      const ledger = createScoreLedger({ database, clock, policy: { ...policy, downtimeMsMax: 60_000 } });
      work(ledger);
      ledger.stop();
      database.close();
      clock.restart();
    };
    run((ledger) => ledger.addToSentBytes(peer, 900_000));
    clock.pass(7_000);
    run((ledger) => expect(ledger.getAccount(peer).balance).toBe(893_000));
    clock.jump(-86_400_000);
    run((ledger) => expect(ledger.getAccount(peer).balance).toBe(893_000));
    clock.jump(10 * 366 * 86_400_000);
    run((ledger) => expect(ledger.getAccount(peer).balance).toBe(833_000));
  });
});

describe('the limit', () => {
  test('grows by a share of what the peer gave, up to the maximum', async () => {
    const { ledger } = memoryLedger({ policy: { ...policy, growthPercent: 25, limitBytesMax: LINE + 1_000 } });
    const peer = await testPeer(1);
    ledger.addToReceivedBytes(peer, 2_003);
    expect(ledger.getAccount(peer).limit).toBe(LINE + 500);
    ledger.addToReceivedBytes(peer, 1_000_000, 'work');
    expect(ledger.getAccount(peer).limit).toBe(LINE + 1_000);
  });

  test('of friends is the maximum from the start, and the operator can set it for each peer', async () => {
    const [friend, device, tier, enemy] = await testPeers(4);
    const { ledger } = memoryLedger({
      policy: {
        ...policy,
        limitBytesMax: 5 * LINE,
        allow: [friend!.toString(), tier!.toString()],
        overrides: {
          [device!.toString()]: 'unlimited',
          [tier!.toString()]: { limitBytes: 7, refreshBytesPerSecond: 0 },
          [enemy!.toString()]: 'blocked',
        },
      },
    });
    expect(ledger.getAccount(friend!).limit).toBe(5 * LINE);
    ledger.abandon(ledger.reserve(device!, 2 ** 50, 'work'), 0);
    expect(refusal(ledger, tier!, 8)).toMatchObject({ limit: 7, waitMs: null });
    ledger.addToReceivedBytes(enemy!, LINE);
    expect(refusal(ledger, enemy!, 0)).toMatchObject({ reason: 'blocked', retryable: false, waitMs: null });
  });

  test('has a soft and a hard zone', async () => {
    const { ledger } = memoryLedger({ policy: { ...policy, softZonePercent: 40 } });
    const peer = await testPeer(1);
    expect(ledger.zone(peer)).toBe('free');
    const held = ledger.reserve(peer, 399_999, 'work');
    expect(ledger.zone(peer)).toBe('free');
    ledger.addToSentBytes(peer, 1);
    expect(ledger.zone(peer)).toBe('soft');
    ledger.addToSentBytes(peer, 600_000);
    expect(ledger.zone(peer)).toBe('hard');
    ledger.abandon(held, 0);
    expect(ledger.zone(peer)).toBe('soft');
  });
});

describe('the pool of all strangers', () => {
  const poolPolicy = { ...policy, strangerPoolBytes: 2_500_000, strangerPoolRefreshBytesPerSecond: 500 };

  test('ends what strangers get together, and friends and paid credit do not depend on it', async () => {
    const [one, two, three, friend, payer] = await testPeers(5);
    const { ledger } = memoryLedger({
      policy: { ...poolPolicy, refreshBytesPerSecond: 0, growthPercent: 100, allow: [friend!.toString()] },
    });
    ledger.addToReceivedBytes(payer!, LINE);
    for (const peer of [one!, two!]) await ledger.settle(ledger.reserve(peer, LINE, 'blocks'), LINE);
    expect(refusal(ledger, three!, LINE)).toMatchObject({ reason: 'pool', balance: 0, waitMs: 1_000_000 });
    await ledger.settle(ledger.reserve(three!, 500_000, 'blocks'), 500_000);
    expect(refusal(ledger, three!, 1).reason).toBe('pool');
    ledger.abandon(ledger.reserve(friend!, LINE, 'work'), 0);
    // Its own bytes back, and as much again that it has earned; what is beyond comes from the pool, which is empty.
    ledger.abandon(ledger.reserve(payer!, 2 * LINE, 'work'), 0);
    expect(refusal(ledger, payer!, 2 * LINE + 1).reason).toBe('pool');
  });

  test('flows back when strangers pay, and recovers with time', async () => {
    const [one, two, three] = await testPeers(3);
    const { ledger, clock } = memoryLedger({ policy: { ...poolPolicy, refreshBytesPerSecond: 0 } });
    for (const peer of [one!, two!]) await ledger.settle(ledger.reserve(peer, LINE, 'blocks'), LINE);
    ledger.addToReceivedBytes(one!, 300_000);
    const held = ledger.reserve(three!, 800_000, 'work');
    expect(refusal(ledger, three!, 1)).toMatchObject({ reason: 'pool', waitMs: 2 });
    ledger.abandon(held, 0);
    ledger.abandon(ledger.reserve(three!, 800_000, 'work'), 800_000);
    clock.pass(100_000);
    ledger.abandon(ledger.reserve(three!, 50_000, 'work'), 0);
    expect(refusal(ledger, three!, 50_001).reason).toBe('pool');
  });

  test('pays for the refresh of what a stranger had earned and owes again', async () => {
    const peer = await testPeer(1);
    const { ledger, clock } = memoryLedger({
      policy: { ...poolPolicy, growthPercent: 100, strangerPoolBytes: 500_000, strangerPoolRefreshBytesPerSecond: 0 },
    });
    ledger.addToReceivedBytes(peer, LINE);
    await ledger.settle(ledger.reserve(peer, 2 * LINE, 'blocks'), 2 * LINE);
    clock.pass(400_000);
    expect(ledger.getAccount(peer).balance).toBe(LINE - 400_000);
    clock.pass(10_000_000);
    expect(ledger.getAccount(peer).balance).toBe(LINE - 500_000);
  });

  test('is remembered over a restart', async () => {
    const path = join(testDirectory(), 'ledger.sqlite');
    const [one, two, three] = await testPeers(3);
    const clock = new ManualClock();
    const open = () => {
      const database = openDatabase(path);
      const ledger = createScoreLedger({ database, clock, policy: { ...poolPolicy, refreshBytesPerSecond: 0 } });
      return { ledger, stop: () => (ledger.stop(), database.close()) };
    };
    const first = open();
    for (const peer of [one!, two!]) await first.ledger.settle(first.ledger.reserve(peer, LINE, 'blocks'), LINE);
    first.ledger.reserve(three!, 400_000, 'work');
    first.stop();
    clock.restart();
    const second = open();
    expect(refusal(second.ledger, three!, 500_001).reason).toBe('pool');
    second.ledger.abandon(second.ledger.reserve(three!, 500_000, 'work'), 0);
    second.stop();
  });
});

describe('room', () => {
  test('is announced to a refused peer that pays', async () => {
    const { ledger } = memoryLedger({ policy: { ...policy, refreshBytesPerSecond: 0 } });
    const [peer, other] = await testPeers(2);
    for (const debtor of [peer!, other!]) ledger.addToSentBytes(debtor, LINE);
    ledger.onRoom(other!, 1, () => expect.unreachable('the other has not paid'));
    const announced = new Promise<void>((resolve) => ledger.onRoom(peer!, 500, resolve));
    ledger.addToReceivedBytes(peer!, 499);
    expect(room(ledger, peer!)).toBe(499);
    ledger.addToReceivedBytes(peer!, 1);
    await announced;
    ledger.abandon(ledger.reserve(peer!, 500, 'blocks'), 0);
  });

  test('is announced when a reservation of the same peer ends', async () => {
    const { ledger } = memoryLedger({ policy });
    const peer = await testPeer(1);
    const held = ledger.reserve(peer, LINE, 'work');
    const announced = new Promise<void>((resolve) => ledger.onRoom(peer, 10, resolve));
    ledger.abandon(held, 0);
    await announced;
  });

  test('is announced when time has brought it', async () => {
    const { ledger, clock } = memoryLedger({ policy });
    const peer = await testPeer(1);
    ledger.addToSentBytes(peer, LINE);
    const announced = new Promise<void>((resolve) => ledger.onRoom(peer, 1, resolve));
    clock.pass(1_000);
    await announced;
  });

  test('is not announced to whoever took the request back', async () => {
    const { ledger } = memoryLedger({ policy });
    const peer = await testPeer(1);
    ledger.addToSentBytes(peer, LINE);
    const cancel = ledger.onRoom(peer, 1, () => expect.unreachable('was cancelled'));
    cancel();
    const announced = new Promise<void>((resolve) => ledger.onRoom(peer, 1, resolve));
    ledger.addToReceivedBytes(peer, 1_000);
    await announced;
  });
});

describe('memory', () => {
  test('holds few accounts however many there are', async () => {
    const { ledger } = memoryLedger({ policy, accountsCachedMax: 8 });
    const peers = await testPeers(200);
    for (const [i, peer] of peers.entries()) {
      await ledger.settle(ledger.reserve(peer, 10, 'work'), 1 + (i % 10), testRecord(i));
      if (i % 16 === 0) await ledger.flush();
    }
    for (const [i, peer] of peers.entries()) expect(ledger.getAccount(peer).workSent).toBe(1 + (i % 10));
    expect([...ledger.accounts()]).toHaveLength(200);
  });

  test('is not the truth: what a checkpoint has written is read back the same', async () => {
    const { ledger, database } = memoryLedger({ policy });
    const peers = await testPeers(20);
    for (const [i, peer] of peers.entries()) {
      ledger.addToSentBytes(peer, 1_000 + i);
      ledger.addToReceivedBytes(peer, i, i % 2 === 0 ? 'work' : 'blocks');
      ledger.abandon(ledger.reserve(peer, 10, 'work'), i % 3);
      await ledger.receiveWork(peer, 5, testRecord(i));
    }
    const before = [...ledger.accounts()];
    await ledger.flush();
    const fresh = createScoreLedger({ database, policy, clock: new ManualClock() });
    expect([...fresh.accounts()]).toEqual(before);
    fresh.stop();
  });
});

test('when there are too many accounts, those go that are worth as much as a newcomer', async () => {
  const { ledger, database, clock } = memoryLedger({ policy });
  const [debtor, payer, worker, recent, blocked] = await testPeers(5);
  ledger.addToSentBytes(debtor!, LINE);
  ledger.addToReceivedBytes(payer!, 1);
  await ledger.settle(ledger.reserve(worker!, 10, 'work'), 1, testRecord(1));
  clock.pass(31 * 86_400_000);
  ledger.addToSentBytes(recent!, 1);
  ledger.addToSentBytes(blocked!, 1);
  await ledger.flush();
  const peersWith = (accountsMax: number) => {
    const next = createScoreLedger({ database, clock, policy, keep: { accountsMax } });
    const peers = Array.from(next.accounts(), ({ peer }) => peer).sort();
    next.stop();
    return peers;
  };
  expect(peersWith(5)).toHaveLength(5);
  expect(peersWith(4)).toEqual([payer, worker, recent, blocked].map(String).sort());
});

test('a ledger that was stopped refuses new work instead of forgetting it', async () => {
  const { ledger } = memoryLedger({ policy });
  const peer = await testPeer(1);
  const open = ledger.reserve(peer, 10, 'work');
  ledger.stop();
  ledger.stop();
  const refused = expect.objectContaining({ code: 'LEDGER_STOPPED' });
  expect(() => ledger.reserve(peer, 10, 'work')).toThrow(refused);
  await expect(async () => ledger.receiveWork(peer, 10, testRecord(1))).rejects.toThrow(refused);
  await expect(async () => ledger.settle(open, 10, testRecord(2))).rejects.toThrow(refused);
});

test('accounts can be read from outside while the node runs', async () => {
  const path = join(testDirectory(), 'ledger.sqlite');
  const database = openDatabase(path);
  const [peer, other] = await testPeers(2);
  expect(readAccounts(path)).toEqual([]);
  const ledger = createScoreLedger({ database, policy: { ...policy, refreshBytesPerSecond: 0 } });
  ledger.addToSentBytes(other!, 3);
  await ledger.settle(ledger.reserve(peer!, 10, 'work'), 7, testRecord(1));
  expect(readAccounts(path)).toMatchObject([{ peer: peer!.toString(), workSent: 7, balance: 7, limit: LINE }]);
  await ledger.flush();
  expect(readAccounts(path)).toEqual(
    Array.from(ledger.accounts(), (account) => ({ ...account, score: null, lastMs: expect.any(Number) as number })),
  );
  ledger.stop();
  database.close();
  expect(readAccounts(path)).toHaveLength(2);
});

test('the scores of connected peers can be read from outside, and a killed process leaves none behind for long', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const path = join(testDirectory(), 'ledger.sqlite');
  const [giver, gone] = await testPeers(2);
  let database = openDatabase(path);
  let ledger = createScoreLedger({ database });
  const scores = async (): Promise<(number | null)[]> => {
    await ledger.flush();
    return [giver!, gone!].map((peer) => readAccounts(path).find((one) => one.peer === peer.toString())!.score);
  };
  ledger.start(() => {});
  for (const peer of [giver!, gone!]) {
    ledger.peerConnected(peer);
    ledger.addToReceivedBytes(peer, 1_000);
  }
  vi.advanceTimersByTime(10_000);
  expect(await scores()).toEqual([6, 6]);
  ledger.peerDisconnected(gone!);
  expect(await scores()).toEqual([6, null]);
  // What is on the disk is what a kill would leave.
  const crashed = join(testDirectory(), 'ledger.sqlite');
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, crashed + suffix);
  ledger.stop();
  database.close();
  expect(readAccounts(path).map(({ score }) => score)).toEqual([null, null]);

  database = openDatabase(crashed);
  expect(readAccounts(crashed)[0]!.score).toBe(6);
  ledger = createScoreLedger({ database });
  await ledger.flush();
  expect(readAccounts(crashed).map(({ score }) => score)).toEqual([null, null]);
  ledger.stop();
  database.close();
});

test('a file of an older version is not read but named, and read again when its node has been started', async () => {
  const path = join(testDirectory(), 'ledger.sqlite');
  const old = openDatabase(path);
  migrate(old, { name: ledgerSchema.name, steps: ledgerSchema.steps.slice(0, 1) });
  old.close();
  expect(() => readAccounts(path)).toThrow(expect.objectContaining({ code: 'LEDGER_OUTDATED' }));
  const database = openDatabase(path);
  createScoreLedger({ database }).stop();
  database.close();
  expect(readAccounts(path)).toEqual([]);
});

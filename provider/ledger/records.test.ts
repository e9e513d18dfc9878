import type { PeerId } from '@libp2p/interface';
import { describe, expect, onTestFinished, test } from 'vitest';

import { migrate, openDatabase } from '../store/sqlite/index.ts';
import { createScoreLedger } from './ledger.ts';
import { historyCsv } from './read-history.ts';
import { ledgerSchema } from './schema.ts';
import { memoryLedger, testPeers, testRecord } from './testing.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('receipts', () => {
  test('are found by CID and listed newest first, before and after a checkpoint', async () => {
    const { ledger } = memoryLedger();
    const [one, two] = await testPeers(2);
    await ledger.settle(ledger.reserve(one!, 100, 'work'), 60, testRecord('a'));
    await ledger.receiveWork(two!, 5, testRecord('b'));
    await ledger.settle(ledger.reserve(two!, 100, 'blocks'), 7, testRecord('c'));
    for (const flushed of [false, true]) {
      if (flushed) await ledger.flush();
      expect(ledger.receipts.get(testRecord('b').cid)).toMatchObject({
        peer: two!.toString(),
        direction: 'received',
        kind: 'work',
        priceBytes: 5,
        bytes: new Uint8Array(testRecord('b').bytes),
      });
      expect(ledger.receipts.get('bafynever')).toBeUndefined();
      const list = (filter = {}) => [...ledger.receipts.list(filter)].map(({ cid }) => cid.at(-1));
      expect(list()).toEqual(['c', 'b', 'a']);
      expect(list({ peer: two!.toString() })).toEqual(['c', 'b']);
      expect(list({ peer: two!.toString(), direction: 'given' })).toEqual(['c']);
    }
  });

  test('are pruned oldest first, and a pruned one that a peer shows again is still not credited', async () => {
    const { ledger } = memoryLedger();
    const [peer] = await testPeers(1);
    for (let i = 0; i < 10; i++) {
      await ledger.settle(ledger.reserve(peer!, 10, 'work'), 1, testRecord(`given${i}`));
      await ledger.receiveWork(peer!, 1, testRecord(`taken${i}`));
    }
    expect(await ledger.prune({ receiptsMax: 4 })).toBe(16);
    const left = [...ledger.receipts.list()];
    expect(left.filter(({ bytes }) => bytes !== undefined)).toHaveLength(4);
    expect(left.filter(({ direction }) => direction === 'given')).toHaveLength(2);
    expect(await ledger.receiveWork(peer!, 1, testRecord('taken0'))).toBe(false);
    expect(ledger.getAccount(peer!)).toMatchObject({ workSent: 10, workRecv: 10 });
  });

  test('are pruned by age', async () => {
    const { ledger, clock } = memoryLedger({ keep: { receiptsMs: DAY_MS } });
    const [peer] = await testPeers(1);
    await ledger.settle(ledger.reserve(peer!, 10, 'work'), 1, testRecord('old'));
    clock.pass(DAY_MS + 1);
    await ledger.settle(ledger.reserve(peer!, 10, 'work'), 1, testRecord('new'));
    await ledger.flush();
    expect([...ledger.receipts.list()].map(({ cid }) => cid)).toEqual([testRecord('new').cid]);
  });
});

test('a receipt too large to be one is refused before anything is reserved for it', async () => {
  const { ledger } = memoryLedger();
  const [peer] = await testPeers(1);
  const refused = { code: 'INVALID_RECORD' };
  for (const record of [
    { cid: 'a', bytes: new Uint8Array(64 * 1024 + 1) },
    { cid: '', bytes: new Uint8Array(1) },
    { cid: 'a'.repeat(257), bytes: new Uint8Array(1) },
  ]) {
    await expect(async () => ledger.receiveWork(peer!, 1, record)).rejects.toMatchObject(refused);
    const reservation = ledger.reserve(peer!, 1, 'work');
    await expect(async () => ledger.settle(reservation, 1, record)).rejects.toMatchObject(refused);
    ledger.abandon(reservation, 0);
  }
  expect(ledger.getAccount(peer!)).toMatchObject({ reserved: 0, balance: 0 });
});

test('a ledger of the first version is opened, and lists the receipts of each account', async () => {
  const database = openDatabase(':memory:');
  onTestFinished(() => database.close());
  migrate(database, { name: ledgerSchema.name, steps: ledgerSchema.steps.slice(0, 1) });
  const [one, two] = await testPeers(2);
  const addAccount = database.sqlite.prepare('INSERT INTO accounts (id, peer) VALUES (?, ?)');
  addAccount.run(1, one!.toString());
  addAccount.run(2, two!.toString());
  const add = database.sqlite.prepare(
    'INSERT INTO receipts (id, cid, account, entry, price, ledger_ms, time) VALUES (?, ?, ?, 0, 1, 0, ?)',
  );
  for (const id of [1, 2, 3, 4, 5]) add.run(id, `old${id}`, 1 + (id % 2), Date.now());
  // Up to here folded; the last two are still to be replayed.
  database.sqlite.exec('UPDATE ledger_state SET receipts_folded = 3');
  const ledger = createScoreLedger({ database });
  onTestFinished(() => ledger.stop());
  const listOf = (peer: PeerId) => [...ledger.receipts.list({ peer: peer.toString() })].map(({ cid }) => cid);
  expect([listOf(one!), listOf(two!)]).toEqual([
    ['old4', 'old2'],
    ['old5', 'old3', 'old1'],
  ]);
  await ledger.settle(ledger.reserve(one!, 1, 'work'), 1, testRecord('new'));
  expect(listOf(one!)).toEqual([testRecord('new').cid, 'old4', 'old2']);
  await ledger.flush();
  await ledger.settle(ledger.reserve(two!, 1, 'work'), 1, testRecord('newer'));
  expect(listOf(two!)).toEqual([testRecord('newer').cid, 'old5', 'old3', 'old1']);
});

describe('history', () => {
  test('tells by the minute what changed in which account, also as CSV', async () => {
    const { ledger, clock } = memoryLedger({ policy: { refreshBytesPerSecond: 0 } });
    const [one, two] = await testPeers(2);
    ledger.addToSentBytes(one!, 100);
    await ledger.flush();
    clock.pass(61_000);
    ledger.addToReceivedBytes(one!, 30);
    ledger.abandon(ledger.reserve(two!, 9, 'work'), 9);
    await ledger.settle(ledger.reserve(one!, 9, 'work'), 8, testRecord('a'));
    await ledger.flush();
    expect([...historyCsv(ledger.history())].join('')).toBe(
      [
        'time,peer,blocksSent,blocksRecv,workSent,workRecv,ghost,forgiven',
        `2023-11-14T22:13:00.000Z,${one},100,0,0,0,0,0`,
        `2023-11-14T22:14:00.000Z,${one},0,30,8,0,0,0`,
        `2023-11-14T22:14:00.000Z,${two},0,0,0,0,9,0`,
        '',
      ].join('\n'),
    );
    expect([...ledger.history({ peer: two!.toString() })]).toHaveLength(1);
  });

  test('is merged into hours and days as it gets old, without losing a byte', async () => {
    const { ledger, clock } = memoryLedger({ policy: { refreshBytesPerSecond: 0 } });
    const peers = await testPeers(2);
    for (let minute = 0; minute < 300; minute++) {
      ledger.addToSentBytes(peers[minute % 2]!, 1 + minute);
      await ledger.flush();
      clock.pass(60_000);
    }
    const rows = () => [...ledger.history()];
    const total = () => rows().reduce((sum, { blocksSent }) => sum + blocksSent, 0);
    expect(rows()).toHaveLength(300);
    const age = async (ms: number) => {
      for (let i = 0; i < 10; i++) {
        clock.pass(ms / 10);
        await ledger.flush();
      }
    };
    await age(3 * DAY_MS);
    // Five hours, begun and ended in the middle, for two peers.
    expect(rows()).toHaveLength(12);
    expect(total()).toBe(45_150);
    await age(60 * DAY_MS);
    expect(rows().every(({ periodMs }) => periodMs % DAY_MS === 0)).toBe(true);
    expect(total()).toBe(45_150);
    await age(800 * DAY_MS);
    expect(rows()).toEqual([]);
  });
});

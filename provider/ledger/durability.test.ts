import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { openDatabase } from '../store/sqlite/index.ts';
import { createScoreLedger } from './ledger.ts';
import { LINE_BYTES, PEERS, type Settled } from './kill-child.ts';
import { readAccounts } from './ledger-file.ts';
import { memoryLedger, testDirectory, testPeer, testPeers, testRecord } from './testing.ts';

describe('on a full disk', () => {
  /** SQLite's own page limit gives the same answer as a disk without space. */
  function fullLedger() {
    const opened = memoryLedger({ policy: { refreshBytesPerSecond: 0 } });
    const pragma = (name: string) => Number(opened.database.sqlite.prepare(`PRAGMA ${name}`).get()?.[name]);
    return {
      ...opened,
      fill: () => opened.database.sqlite.exec(`PRAGMA max_page_count = ${pragma('page_count')}`),
      empty: () => opened.database.sqlite.exec('PRAGMA max_page_count = 1000000'),
    };
  }

  const big = (name: string) => ({ ...testRecord(name), bytes: new Uint8Array(50_000) });

  test('a settlement is refused, charges nothing, and works again when there is space', async () => {
    const { ledger, fill, empty } = fullLedger();
    const [peer, other] = await testPeers(2);
    await ledger.settle(ledger.reserve(peer!, 500, 'work'), 400, testRecord('before'));
    fill();
    const before = ledger.getAccount(peer!);
    const results = await Promise.allSettled([
      ledger.settle(ledger.reserve(peer!, 500, 'work'), 300, big('a')),
      ledger.settle(ledger.reserve(other!, 500, 'work'), 300, big('b')),
      ledger.receiveWork(peer!, 300, big('c')),
    ]);
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'STORE_FULL', fault: 'provider', retryable: true },
      });
    }
    expect(ledger.getAccount(peer!)).toEqual(before);
    expect(ledger.getReceipt(other!)).toBeUndefined();
    empty();
    await ledger.settle(ledger.reserve(peer!, 500, 'work'), 300, big('a'));
    expect(await ledger.receiveWork(peer!, 100, big('c'))).toBe(true);
    expect(ledger.getAccount(peer!)).toMatchObject({ workSent: 700, workRecv: 100, reserved: 0 });
    expect([...ledger.receipts.list()].map(({ cid }) => cid)).toEqual(
      ['c', 'a', 'before'].map((name) => testRecord(name).cid),
    );
  });

  test('blocks go on being counted, and are written when there is space', async () => {
    const { ledger, database, fill, empty } = fullLedger();
    const peers = await testPeers(300);
    fill();
    for (const peer of peers) {
      ledger.addToSentBytes(peer, 10);
      ledger.addToReceivedBytes(peer, 4);
    }
    await expect(ledger.flush()).rejects.toMatchObject({ code: 'STORE_FULL' });
    for (const peer of peers) ledger.addToSentBytes(peer, 1);
    empty();
    await ledger.flush();
    const fresh = createScoreLedger({ database, policy: { refreshBytesPerSecond: 0 } });
    const accounts = [...fresh.accounts()];
    fresh.stop();
    expect(accounts).toHaveLength(300);
    expect(accounts.every(({ sent, recv, exchanged }) => sent === 11 && recv === 4 && exchanged === 3)).toBe(true);
  });

  test('new work is refused before a crash could forget too much', async () => {
    const { ledger, fill } = fullLedger();
    const peer = await testPeer(1);
    const peers = await testPeers(300);
    fill();
    for (const other of peers) ledger.addToSentBytes(other, 4 * 1024 * 1024);
    await expect(ledger.flush()).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(() => ledger.reserve(peer, 1, 'work')).toThrow(expect.objectContaining({ code: 'STORE_FULL' }));
  });
});

describe('after kill -9', () => {
  test('nothing that was settled is missing, and nothing is counted twice', { timeout: 120_000 }, async () => {
    const path = join(testDirectory(), 'ledger.sqlite');
    const peers = await testPeers(PEERS);
    const acknowledged: Settled[] = [];
    for (let round = 0; round < 20; round++) {
      const child = fork(new URL('./kill-child.ts', import.meta.url), [path, String(round)], { stdio: 'inherit' });
      const exit = once(child, 'exit');
      // At another point of the child's progress in each round, from the very first settlement on.
      const killAfter = 1 + Math.floor(round ** 2 * 2 + Math.random() * 200);
      let seen = 0;
      child.on('message', (settled: Settled[]) => {
        acknowledged.push(...settled);
        seen += settled.length;
        if (seen >= killAfter) child.kill('SIGKILL');
      });
      expect(await exit).toEqual([null, 'SIGKILL']);

      const fromOutside = new Map(readAccounts(path).map((account) => [account.peer, account]));
      const database = openDatabase(path);
      const ledger = createScoreLedger({
        database,
        policy: { newcomerLineBytes: LINE_BYTES, limitBytesMax: LINE_BYTES, strangerPoolBytes: PEERS * LINE_BYTES },
      });
      const stored = new Map([...ledger.receipts.list()].map((receipt) => [receipt.cid, receipt]));
      const missing = acknowledged.filter(({ cid, price }) => stored.get(cid)?.priceBytes !== price);
      expect(missing).toEqual([]);
      for (const peer of peers) {
        const own = [...stored.values()].filter((receipt) => receipt.peer === peer.toString());
        const sum = (direction: string) =>
          own.reduce((total, receipt) => total + (receipt.direction === direction ? receipt.priceBytes : 0), 0);
        const expected = { workSent: sum('given'), workRecv: sum('received'), reserved: 0, ghost: 0 };
        expect(ledger.getAccount(peer)).toMatchObject(expected);
        expect(fromOutside.get(peer.toString()) ?? { ...expected }).toMatchObject(expected);
      }
      expect(database.sqlite.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      ledger.stop();
      database.close();
    }
    expect(new Set(acknowledged.map(({ cid }) => cid)).size).toBe(acknowledged.length);
    expect(acknowledged.length).toBeGreaterThan(1_000);
  });
});

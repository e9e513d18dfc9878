import assert from 'node:assert/strict';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PeerId } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';

import type { LedgerRecord, ScoreLedger } from './types.ts';

/** A ledger under test. */
export interface LedgerUnderTest {
  ledger: ScoreLedger;
  /** How many bytes a peer that never gave anything may owe. At least 10,000; nothing is forgiven by time meanwhile. */
  newcomerLineBytes: number;
  /** Ends the ledger and opens what it left behind again. Ledgers that keep nothing leave it out. */
  reopen?: () => Promise<ScoreLedger>;
  close(): Promise<void>;
}

export interface ConformanceCase {
  /** What the user of a ledger gets. */
  name: string;
  run(open: () => Promise<LedgerUnderTest>): Promise<void>;
}

/**
 * What every ScoreLedger must do, whatever it is built on. Independent of the test runner:
 *
 * ```ts
 * for (const { name, run } of scoreLedgerConformance) test(name, () => run(openMyLedger))
 * ```
 */
export const scoreLedgerConformance: readonly ConformanceCase[] = [
  testCase('a peer that was never heard of has no receipt and an empty account', async ({ ledger }, peer) => {
    assert.equal(ledger.getReceipt(peer), undefined);
    const account = ledger.getAccount(peer);
    assert.deepEqual([account.sent, account.recv, account.balance, account.reserved, account.ghost], [0, 0, 0, 0, 0]);
    assert.equal(account.peer, peer.toString());
    assert.equal(ledger.getReceipt(peer), undefined, 'asking opens no account');
  }),

  testCase('blocks and work are counted in one account, split by kind', async ({ ledger }, peer) => {
    ledger.addToSentBytes(peer, 100);
    ledger.addToSentBytes(peer, 20, 'work');
    ledger.addToReceivedBytes(peer, 3);
    ledger.addToReceivedBytes(peer, 4, 'work');
    const receipt = ledger.getReceipt(peer);
    assert.deepEqual(
      { ...receipt },
      {
        peer: peer.toString(),
        value: 120 / 8,
        sent: 120,
        recv: 7,
        exchanged: 4,
        blocksSent: 100,
        blocksRecv: 3,
        workSent: 20,
        workRecv: 4,
      },
    );
    assert.equal(ledger.getAccount(peer).balance, 113);
  }),

  testCase('disconnecting does not wash debt away', async ({ ledger }, peer) => {
    ledger.peerConnected(peer);
    ledger.addToSentBytes(peer, 500);
    ledger.peerDisconnected(peer);
    ledger.peerConnected(peer);
    assert.equal(ledger.getAccount(peer).balance, 500);
  }),

  testCase('settling debits the price and gives back the rest of the reservation', async ({ ledger }, peer) => {
    const reservation = ledger.reserve(peer, 1000, 'work');
    assert.deepEqual([reservation.amount, reservation.kind], [1000, 'work']);
    assert.equal(ledger.getAccount(peer).reserved, 1000);
    await ledger.settle(reservation, 400, record('a'));
    const account = ledger.getAccount(peer);
    assert.deepEqual([account.reserved, account.workSent, account.balance, account.exchanged], [0, 400, 400, 1]);
  }),

  testCase('a reservation beyond the limit is refused with figures and changes nothing', async (test, peer) => {
    const { ledger, newcomerLineBytes: line } = test;
    const held = ledger.reserve(peer, line - 10, 'work');
    const before = ledger.getAccount(peer);
    assert.throws(
      () => ledger.reserve(peer, 11, 'blocks'),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'OVER_CREDIT');
        assert.ok('fault' in error && error.fault === 'consumer');
        assert.ok('balance' in error && error.balance === 0);
        assert.ok('limit' in error && error.limit === line);
        assert.ok('reserved' in error && error.reserved === line - 10);
        assert.ok('requestedBytes' in error && error.requestedBytes === 11);
        assert.ok('waitMs' in error);
        return true;
      },
    );
    assert.deepEqual(ledger.getAccount(peer), before);
    const last = ledger.reserve(peer, 10, 'blocks');
    ledger.abandon(last, 0);
    ledger.abandon(held, 0);
  }),

  testCase('credit is used up by debt and comes back with repayment', async (test, peer) => {
    const { ledger, newcomerLineBytes: line } = test;
    await ledger.settle(ledger.reserve(peer, line, 'blocks'), line);
    assert.throws(() => ledger.reserve(peer, 1, 'blocks'));
    ledger.addToReceivedBytes(peer, 1000);
    ledger.abandon(ledger.reserve(peer, 1000, 'work'), 0);
  }),

  testCase('abandoned work becomes ghost debt, apart from what was sent', async ({ ledger }, peer) => {
    ledger.abandon(ledger.reserve(peer, 1000, 'work'), 300);
    const account = ledger.getAccount(peer);
    assert.deepEqual([account.ghost, account.sent, account.balance, account.reserved], [300, 0, 300, 0]);
  }),

  testCase('a reservation ends exactly once', async ({ ledger }, peer) => {
    const settled = ledger.reserve(peer, 10, 'work');
    await ledger.settle(settled, 5, record('a'));
    await assert.rejects(async () => ledger.settle(settled, 5, record('b')), hasCode('RESERVATION_CLOSED'));
    assert.throws(() => ledger.abandon(settled, 5), hasCode('RESERVATION_CLOSED'));
    const abandoned = ledger.reserve(peer, 10, 'work');
    ledger.abandon(abandoned, 0);
    await assert.rejects(async () => ledger.settle(abandoned, 5), hasCode('RESERVATION_CLOSED'));
    assert.equal(ledger.getAccount(peer).balance, 5);
  }),

  testCase('nothing is debited beyond what was reserved, and the reservation stays open', async ({ ledger }, peer) => {
    const reservation = ledger.reserve(peer, 10, 'work');
    await assert.rejects(async () => ledger.settle(reservation, 11, record('a')), hasCode('INVALID_AMOUNT'));
    assert.throws(() => ledger.abandon(reservation, 11), hasCode('INVALID_AMOUNT'));
    assert.equal(ledger.getAccount(peer).reserved, 10);
    await ledger.settle(reservation, 10, record('a'));
    assert.equal(ledger.getAccount(peer).balance, 10);
  }),

  testCase('amounts that are no whole number of bytes are refused', async ({ ledger }, peer) => {
    for (const amount of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 53 - 1]) {
      assert.throws(() => ledger.addToSentBytes(peer, amount), hasCode('INVALID_AMOUNT'), String(amount));
      assert.throws(() => ledger.addToReceivedBytes(peer, amount), hasCode('INVALID_AMOUNT'), String(amount));
      assert.throws(() => ledger.reserve(peer, amount, 'work'), hasCode('INVALID_AMOUNT'), String(amount));
      await assert.rejects(async () => ledger.receiveWork(peer, amount, record('a')), hasCode('INVALID_AMOUNT'));
    }
    assert.equal(ledger.getReceipt(peer), undefined);
  }),

  testCase('a receipt for received work is credited once, whoever shows it again', async ({ ledger }, peer, other) => {
    assert.equal(await ledger.receiveWork(peer, 70, record('a')), true);
    assert.equal(await ledger.receiveWork(peer, 70, record('a')), false);
    assert.equal(await ledger.receiveWork(other, 70, record('a')), false);
    const together = await Promise.all(['b', 'b', 'c'].map((name) => ledger.receiveWork(peer, 5, record(name))));
    assert.deepEqual(together, [true, false, true]);
    assert.deepEqual([ledger.getAccount(peer).workRecv, ledger.getAccount(peer).exchanged], [80, 3]);
    assert.equal(ledger.getAccount(other).recv, 0);
  }),

  testCase('a receipt is debited once, and repeating it does not make work free', async ({ ledger }, peer) => {
    await ledger.settle(ledger.reserve(peer, 100, 'work'), 60, record('a'));
    const again = ledger.settle(ledger.reserve(peer, 100, 'work'), 60, record('a'));
    await assert.rejects(again, hasCode('RECEIPT_REPEATED'));
    const account = ledger.getAccount(peer);
    assert.deepEqual([account.workSent, account.ghost, account.balance, account.reserved], [60, 60, 120, 0]);
  }),

  testCase('settlements of many peers at once are all counted', async ({ ledger }) => {
    const peers = await Promise.all(Array.from({ length: 8 }, newPeer));
    await Promise.all(
      Array.from({ length: 160 }, (_, i) =>
        ledger.settle(ledger.reserve(peers[i % 8]!, 10, 'work'), 1 + (i % 8), record(String(i))),
      ),
    );
    for (const [i, peer] of peers.entries()) {
      const account = ledger.getAccount(peer);
      assert.deepEqual([account.workSent, account.reserved, account.exchanged], [20 * (1 + i), 0, 20]);
    }
  }),

  testCase('every account is listed once', async ({ ledger }, peer, other) => {
    ledger.addToSentBytes(peer, 1);
    await ledger.settle(ledger.reserve(other, 2, 'work'), 2, record('a'));
    const listed = [...ledger.accounts()].map(({ peer, sent }) => [peer, sent]);
    const expected = [
      [peer.toString(), 1],
      [other.toString(), 2],
    ];
    assert.deepEqual(listed.sort(), expected.sort());
  }),

  testCase('accounts are there after stop and start', async (test, peer, other) => {
    if (test.reopen === undefined) return;
    const { ledger } = test;
    ledger.addToSentBytes(peer, 11);
    ledger.addToReceivedBytes(peer, 5, 'work');
    ledger.abandon(ledger.reserve(peer, 50, 'work'), 7);
    const pending = ledger.settle(ledger.reserve(other, 30, 'work'), 21, record('a'));
    const again = await test.reopen();
    await pending;
    const account = again.getAccount(peer);
    assert.deepEqual([account.blocksSent, account.workRecv, account.ghost, account.reserved], [11, 5, 7, 0]);
    assert.equal(again.getAccount(other).workSent, 21);
    const repeated = again.settle(again.reserve(other, 30, 'work'), 21, record('a'));
    await assert.rejects(repeated, hasCode('RECEIPT_REPEATED'), 'the receipt is remembered');
  }),
];

function testCase(
  name: string,
  body: (test: LedgerUnderTest, peer: PeerId, other: PeerId) => Promise<void>,
): ConformanceCase {
  return {
    name,
    async run(open) {
      const test = await open();
      try {
        await body(test, await newPeer(), await newPeer());
      } finally {
        await test.close();
      }
    },
  };
}

async function newPeer(): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519'));
}

function record(name: string): LedgerRecord {
  return { cid: `bafyconformance${name}`, bytes: new TextEncoder().encode(name) };
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === code;
}

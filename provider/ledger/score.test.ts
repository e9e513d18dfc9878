import type { PeerId } from '@libp2p/interface';
import { expect, test } from 'vitest';

import { Scores } from './score.ts';
import { testPeer } from './testing-peers.ts';
import type { LedgerReceipt } from './types.ts';

const receipts = new Map<string, LedgerReceipt>();

function exchange(peer: PeerId, sent: number, recv: number): void {
  const old = receipts.get(peer.toString());
  receipts.set(peer.toString(), {
    peer: peer.toString(),
    value: 0,
    sent: (old?.sent ?? 0) + sent,
    recv: (old?.recv ?? 0) + recv,
    exchanged: (old?.exchanged ?? 0) + 1,
    blocksSent: 0,
    blocksRecv: 0,
    workSent: 0,
    workRecv: 0,
  });
}

function scores() {
  const told: number[] = [];
  const scores = new Scores((peer) => receipts.get(peer.toString()));
  scores.start((_, score) => told.push(score));
  return { scores, told };
}

test("a peer that always gives approaches go-bitswap's highest score", async () => {
  const peer = await testPeer(1);
  const { scores: engine, told } = scores();
  engine.connected(peer);
  for (let i = 0; i < 1_500; i++) {
    exchange(peer, 0, 100);
    engine.sample();
  }
  engine.stop();
  // (10 + 10) * (0.5 + 0.75) is 25; the slow average reaches 9.99 and the whole is rounded down, as in go-bitswap.
  expect(told.at(-1)).toBe(24);
  // First sample: short 5, long 0.5, times 1.25.
  expect(told[0]).toBe(6);
  expect(told).toEqual([...told].sort((a, b) => a - b));
});

test('a peer that only takes scores less than one that gives', async () => {
  const peer = await testPeer(2);
  const { scores: engine, told } = scores();
  engine.connected(peer);
  exchange(peer, 100, 0);
  engine.sample();
  engine.stop();
  expect(told).toEqual([4]);
});

test('silence lowers the score, and a score that did not change is not told again', async () => {
  const peer = await testPeer(3);
  const { scores: engine, told } = scores();
  exchange(peer, 0, 100);
  engine.connected(peer);
  engine.sample();
  expect(told).toEqual([]);
  exchange(peer, 0, 100);
  engine.sample();
  engine.sample();
  engine.sample();
  engine.sample();
  engine.stop();
  expect(told).toEqual([6, 3, 1, 0]);
});

test('a peer with two connections is scored until the last one closes', async () => {
  const peer = await testPeer(4);
  const { scores: engine, told } = scores();
  engine.connected(peer);
  engine.connected(peer);
  engine.disconnected(peer);
  exchange(peer, 0, 1);
  engine.sample();
  expect(told).toHaveLength(1);
  engine.disconnected(peer);
  exchange(peer, 0, 1);
  engine.sample();
  engine.stop();
  expect(told).toHaveLength(1);
});

import type { PeerId } from '@libp2p/interface';
import fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  OverCreditError,
  type CreditPolicy,
  type PersistentScoreLedger,
  type Reservation,
} from '../provider/ledger/index.ts';
import { ManualClock, memoryLedger, testPeers, testRecord, type OpenLedger } from '../provider/ledger/testing.ts';
import { UNWRITTEN_BYTES_MAX } from '../provider/ledger/unwritten.ts';
import { createScoreLedger } from '../provider/ledger/index.ts';

/**
 * Goal: no trick on the ledger pays more than the documented bound (docs/ledger.md, "Attacks"). Method: play the
 * attacker as greedily as we can, and compute its gain: everything it got, in bytes, minus everything it gave.
 */

const MIB = 1024 * 1024;
const LINE = 64 * MIB;
const POOL = 1024 * MIB;
const POOL_RATE = 8 * MIB;
const DAY_MS = 86_400_000;

const printed: string[][] = [];
let peers: PeerId[];

beforeAll(async () => {
  peers = await testPeers(1_000);
});

afterAll(() => {
  const widths = [0, 1, 2].map((column) => Math.max(...printed.map((row) => row[column]!.length)));
  const lines = printed.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))),
  );
  console.log(`\n${lines.map((cells) => cells.join('  ')).join('\n')}\n`);
});

/** Prints the gain and checks it against the bound. */
function judge(attack: string, gain: number, bound: number): void {
  if (printed.length === 0) printed.push(['attack', 'gain (MiB)', 'bound (MiB)']);
  printed.push([attack, (gain / MIB).toFixed(1), (bound / MIB).toFixed(1)]);
  expect(gain).toBeLessThanOrEqual(bound);
}

function gainOf(ledger: PersistentScoreLedger): number {
  let gain = 0;
  for (const { sent, recv, ghost } of ledger.accounts()) gain += sent + ghost - recv;
  return gain;
}

/** Takes as much as the ledger grants, in pieces of at most `piece`. */
async function drain(ledger: PersistentScoreLedger, peer: PeerId, piece = LINE): Promise<number> {
  let taken = 0;
  for (let bytes = piece; bytes >= 1;) {
    try {
      await ledger.settle(ledger.reserve(peer, bytes, 'blocks'), bytes);
      taken += bytes;
      // Blocks go out over a network: the ledger gets its turn of the event loop.
      await setImmediate();
    } catch (error) {
      if (!(error instanceof OverCreditError)) throw error;
      bytes = Math.floor(bytes / 2);
    }
  }
  return taken;
}

function open(policy: Partial<CreditPolicy> = {}): OpenLedger {
  return memoryLedger({ policy });
}

test('reconnecting does not wash debt away', async () => {
  const { ledger } = open();
  for (let i = 0; i < 100; i++) {
    ledger.peerConnected(peers[0]!);
    await drain(ledger, peers[0]!);
    ledger.peerDisconnected(peers[0]!);
  }
  judge('reconnect 100 times', gainOf(ledger), LINE);
});

test('a thousand identities get no more than the pool', async () => {
  const { ledger } = open();
  for (const peer of peers) await drain(ledger, peer);
  judge('1000 identities at once', gainOf(ledger), POOL);
});

test('identities that wait get no more than the pool and its refresh', async () => {
  const { ledger, clock } = open();
  for (let minute = 0; minute < 120; minute++) {
    for (const peer of peers.slice(0, 20)) await drain(ledger, peer);
    clock.pass(60_000);
  }
  judge('20 identities for two hours', gainOf(ledger), POOL + POOL_RATE * 7_200);
});

test('identities that pay, grow and vanish gain no more than the announced share of what they paid', async () => {
  const { ledger } = open();
  let paid = 0;
  for (const peer of peers.slice(0, 50)) {
    ledger.addToReceivedBytes(peer, 1_000 * MIB);
    paid += 1_000 * MIB;
    await drain(ledger, peer);
  }
  judge('50 identities pay 1000 MiB each and vanish', gainOf(ledger), POOL + paid / 4);
});

test('grown identities cannot live on the refresh of each of them', async () => {
  const { ledger, clock } = open();
  const grown = peers.slice(0, 40);
  for (const peer of grown) ledger.addToReceivedBytes(peer, 400 * MIB);
  await ledger.flush();
  for (let minute = 0; minute < 30; minute++) {
    for (const peer of grown) await drain(ledger, peer);
    clock.pass(60_000);
  }
  // Without the pool it would be 1 MiB/s for each: 72000 MiB in this half hour.
  judge('40 grown identities for half an hour', gainOf(ledger), POOL + POOL_RATE * 1_800 + 40 * 100 * MIB);
});

test('work that is aborted is paid as far as it went', async () => {
  const { ledger } = open();
  for (let i = 0; i < 10_000; i++) {
    try {
      ledger.abandon(ledger.reserve(peers[0]!, MIB, 'work'), MIB);
    } catch (error) {
      if (!(error instanceof OverCreditError)) throw error;
    }
  }
  judge('abort after work, 10000 times', gainOf(ledger), LINE);
});

test('two connections at once cannot reserve more than one line', async () => {
  const { ledger } = open();
  const settled: Promise<void>[] = [];
  for (let i = 0; i < 1_000; i++) {
    for (const kind of ['blocks', 'work'] as const) {
      try {
        settled.push(ledger.settle(ledger.reserve(peers[0]!, MIB, kind), MIB, testRecord(`${kind}${i}`)));
      } catch (error) {
        if (!(error instanceof OverCreditError)) throw error;
      }
    }
  }
  await Promise.all(settled);
  judge('2000 requests in one turn', gainOf(ledger), LINE);
});

test('asking for the same job again and again is not free', async () => {
  const { ledger } = open();
  let done = 0;
  for (let i = 0; i < 1_000; i++) {
    try {
      const reservation = ledger.reserve(peers[0]!, MIB, 'work');
      done += MIB;
      await ledger.settle(reservation, MIB, testRecord('always the same')).catch(() => undefined);
    } catch (error) {
      if (!(error instanceof OverCreditError)) throw error;
    }
  }
  expect(gainOf(ledger)).toBe(done);
  judge('the same receipt settled 1000 times', done, LINE);
});

test('a receipt shown again, also by others, is credited once', async () => {
  const { ledger } = open();
  const shown = await Promise.all(peers.slice(0, 100).map((peer) => ledger.receiveWork(peer, MIB, testRecord('once'))));
  await ledger.flush();
  for (const peer of peers.slice(0, 100)) shown.push(await ledger.receiveWork(peer, MIB, testRecord('once')));
  expect(shown.filter(Boolean)).toHaveLength(1);
  judge('one receipt shown 200 times', -gainOf(ledger), MIB);
});

test('the order of settlements does not matter', async () => {
  const run = async (order: number[]): Promise<number> => {
    const { ledger } = open();
    const reservations = Array.from({ length: 60 }, () => ledger.reserve(peers[0]!, MIB, 'work'));
    for (const i of order) await ledger.settle(reservations[i]!, i * 1_000, testRecord(i));
    return gainOf(ledger);
  };
  const forward = Array.from({ length: 60 }, (_, i) => i);
  const difference = (await run(forward)) - (await run(forward.toReversed()));
  judge('settlements in another order', Math.abs(difference), 0);
});

test('a clock that jumps while we run gives nothing', async () => {
  const { ledger, clock } = open();
  await drain(ledger, peers[0]!);
  for (const jump of [10 * 366 * DAY_MS, -20 * 366 * DAY_MS, 5 * DAY_MS, -DAY_MS]) {
    clock.jump(jump);
    await drain(ledger, peers[0]!);
  }
  judge('clock jumps by years', gainOf(ledger), LINE);
});

test('a clock that jumps while we are down gives at most the longest downtime that counts', async () => {
  const { database } = open();
  const clock = new ManualClock();
  const restart = (): PersistentScoreLedger => {
    clock.restart();
    return createScoreLedger({ database, clock });
  };
  let ledger = restart();
  await drain(ledger, peers[0]!);
  ledger.stop();
  clock.jump(10 * 366 * DAY_MS);
  ledger = restart();
  await drain(ledger, peers[0]!);
  ledger.stop();
  clock.jump(-20 * 366 * DAY_MS);
  ledger = restart();
  await drain(ledger, peers[0]!);
  const gain = gainOf(ledger);
  ledger.stop();
  // One hour of refresh would be 3600 MiB, but time forgives no more than the debt.
  judge('clock jumps over restarts', gain, 2 * LINE);
});

test('a provider that over-reports cannot debit more than was reserved', async () => {
  const { ledger } = open();
  const reservation = ledger.reserve(peers[0]!, MIB, 'work');
  for (const lie of [MIB + 1, 2 ** 52, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    await expect(async () => ledger.settle(reservation, lie, testRecord('lie'))).rejects.toMatchObject({
      code: 'INVALID_AMOUNT',
    });
  }
  await ledger.settle(reservation, MIB, testRecord('truth'));
  judge('over-reported price', gainOf(ledger), MIB);
});

test('amounts at the edge of the integers neither wrap around nor lose a byte', async () => {
  const { ledger } = open();
  const peer = peers[0]!;
  const huge = 2 ** 51;
  ledger.addToReceivedBytes(peer, huge - 1);
  await ledger.flush();
  expect(() => ledger.addToReceivedBytes(peer, 2)).toThrow(expect.objectContaining({ code: 'INVALID_AMOUNT' }));
  await expect(async () => ledger.receiveWork(peer, 2, testRecord('over'))).rejects.toMatchObject({
    code: 'INVALID_AMOUNT',
  });
  ledger.addToReceivedBytes(peer, 1);
  await ledger.flush();
  await ledger.settle(ledger.reserve(peer, huge, 'blocks'), huge);
  await ledger.flush();
  expect(ledger.getAccount(peer)).toMatchObject({ sent: huge, recv: huge, balance: 0 });
  expect(() => ledger.reserve(peer, 1, 'blocks')).toThrow(expect.objectContaining({ code: 'INVALID_AMOUNT' }));
  expect(() => ledger.reserve(peers[1]!, huge, 'work')).toThrow(OverCreditError);
  judge('integer extremes', gainOf(ledger), 0);
});

test('whoever could crash us gains what one second holds, and no more than a fixed amount', async () => {
  const { database } = open();
  const clock = new ManualClock();
  const policy = { newcomerLineBytes: LINE, refreshBytesPerSecond: 0 };
  const before = createScoreLedger({ database, clock, policy });
  // Small enough pieces that much of the last one is not asked to be written before the crash.
  await drain(before, peers[0]!, 1_000_000);
  const after = createScoreLedger({ database, clock, policy });
  const gain = gainOf(before) - gainOf(after);
  judge('blocks that a crash forgets', gain, UNWRITTEN_BYTES_MAX + MIB);
});

test('no mix of paying, taking, waiting and changing identity beats the law', async () => {
  const step = fc.record({
    peer: fc.nat(5),
    what: fc.constantFrom('pay', 'take', 'abort', 'wait', 'hold', 'end'),
    bytes: fc.nat(2_000),
    ms: fc.nat(20_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.nat(100), async (steps, growthPercent) => {
      const policy = {
        newcomerLineBytes: 1_000,
        refreshBytesPerSecond: 100,
        growthPercent,
        limitBytesMax: 5_000,
        strangerPoolBytes: 2_500,
        strangerPoolRefreshBytesPerSecond: 50,
      };
      const clock = new ManualClock();
      const { database } = memoryLedger();
      const ledger = createScoreLedger({ database, clock, policy });
      let paid = 0;
      let elapsedMs = 0;
      let held: Reservation[] = [];
      for (const { peer, what, bytes, ms } of steps) {
        if (what === 'pay') {
          ledger.addToReceivedBytes(peers[peer]!, bytes);
          paid += bytes;
        } else if (what === 'wait') {
          clock.pass(ms);
          elapsedMs += ms;
        } else if (what === 'take') {
          await drain(ledger, peers[peer]!, Math.max(1, bytes));
        } else if (what === 'end') {
          for (const reservation of held) await ledger.settle(reservation, reservation.amount);
          held = [];
        } else {
          try {
            const reservation = ledger.reserve(peers[peer]!, bytes, 'work');
            if (what === 'hold') held.push(reservation);
            else ledger.abandon(reservation, bytes);
          } catch (error) {
            if (!(error instanceof OverCreditError)) throw error;
          }
        }
        const given =
          policy.strangerPoolBytes + Math.floor((50 * elapsedMs) / 1000) + Math.floor((paid * growthPercent) / 100);
        expect(gainOf(ledger)).toBeLessThanOrEqual(given);
      }
      ledger.stop();
    }),
    { numRuns: 200 },
  );
});

import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerId } from '@libp2p/interface';
import { peerIdFromMultihash } from '@libp2p/peer-id';
import { base32 } from 'multiformats/bases/base32';
import * as Digest from 'multiformats/hashes/digest';

import { createScoreLedger, type LedgerRecord, type PersistentScoreLedger } from '../provider/ledger/index.ts';
import { openDatabase, transaction } from '../provider/store/sqlite/index.ts';
import type { Figure } from './types.ts';

const ACCOUNTS = 100_000;
const RECORD_BYTES = 300;
const BATCH = 64;
const ACTIVE = 300;
/** Receipts that are there before the measurement: an index that fits one page flatters everybody. */
const RECEIPTS = 200_000;
const ROUNDS = 5;
const BATCHES_PER_ROUND = 400;
const PRICE_BYTES = 500;

const policy = { newcomerLineBytes: 2 ** 40, limitBytesMax: 2 ** 40, strangerPoolBytes: 2 ** 44 };

interface Opened {
  ledger: PersistentScoreLedger;
  close(): void;
}

/** Settlements per second with full durability, and the time until a ledger of 100,000 accounts answers again. */
export async function run(progress: (line: string) => void): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-ledger-'));
  try {
    const path = join(directory, 'ledger.sqlite');
    progress(`${ACCOUNTS} accounts`);
    const peers = Array.from({ length: ACCOUNTS }, randomPeer);
    await fill(path, peers);
    const { ledger, close } = open(path);
    progress(`${RECEIPTS} receipts`);
    await settleAll(ledger, peers, RECEIPTS, 32);
    const active = peers.slice(0, ACTIVE);
    const plain = plainRounds(join(directory, 'plain.sqlite'), active, progress);
    const depth128 = await rounds(ledger, active, 2, `${ACTIVE} active accounts, depth 128`, progress);
    const depth512 = await rounds(ledger, active, 8, `${ACTIVE} active accounts, depth 512`, progress);
    const depth64 = await rounds(ledger, active, 1, `${ACTIVE} active accounts, depth 64`, progress);
    const all = await rounds(ledger, peers, 2, 'all accounts active, depth 128', progress);
    // The state that a kill would leave: a copy while open, with receipts to replay.
    const crashed = join(directory, 'crashed.sqlite');
    for (const suffix of ['', '-wal']) await cp(path + suffix, crashed + suffix);
    const microseconds = await inMemory(ledger, active[0]!, progress);
    close();
    return [
      {
        ...rate('settlementsPerSecond', depth128.map(perSecond)),
        goal: 20_000,
        peer: {
          name: 'receipt and account written to plain SQLite tables, one batch at a time',
          value: Math.round(median(plain)),
        },
        note: `batches of ${BATCH}, 2 under way; ${ACTIVE} of ${ACCOUNTS} accounts active, as many as connections; ${RECEIPTS} receipts before`,
      },
      { ...rate('settlementsPerSecondDepth512', depth512.map(perSecond)), note: '8 batches under way' },
      { ...rate('settlementsPerSecondDepth64', depth64.map(perSecond)), note: 'one batch at a time' },
      { ...rate('settlementsPerSecondAllAccounts', all.map(perSecond)), note: `2 under way, all ${ACCOUNTS} active` },
      {
        ...time('mainThreadUs', depth128.map(cpuUsOf), 'us'),
        peer: {
          name: 'plain SQLite tables (the thread stands still)',
          value: Number((1e6 / median(plain)).toFixed(2)),
        },
        note: 'CPU time of the main thread for one settlement',
      },
      { ...time('reserveAndSettleUs', microseconds, 'us'), note: 'main thread, a block, no record' },
      { ...time('restartMs', restarts(path, peers, progress), 'ms'), goal: 1_000, note: 'until the first reservation' },
      {
        ...time('restartAfterKillMs', [restart(crashed, peers[0]!)], 'ms'),
        goal: 1_000,
        note: 'with receipts to replay',
      },
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

function open(path: string): Opened {
  const database = openDatabase(path);
  const ledger = createScoreLedger({ database, policy });
  return {
    ledger,
    close() {
      ledger.stop();
      database.close();
    },
  };
}

async function fill(path: string, peers: readonly PeerId[]): Promise<void> {
  const { ledger, close } = open(path);
  for (const [i, peer] of peers.entries()) {
    ledger.addToSentBytes(peer, 1 + (i % 1_000));
    if (i % 5_000 === 0) await ledger.flush();
  }
  close();
}

interface Round {
  perSecond: number;
  /** CPU time of the main thread for each settlement. */
  cpuUs: number;
}

async function rounds(
  ledger: PersistentScoreLedger,
  peers: readonly PeerId[],
  underWay: number,
  what: string,
  progress: (line: string) => void,
): Promise<Round[]> {
  const figures: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    figures.push(await settleAll(ledger, peers, BATCH * BATCHES_PER_ROUND, underWay));
    progress(`${what}: ${Math.round(figures.at(-1)!.perSecond)} settlements/s`);
  }
  return figures;
}

/** Each of the workers starts its next batch when its last one is durable. */
async function settleAll(
  ledger: PersistentScoreLedger,
  peers: readonly PeerId[],
  count: number,
  underWay: number,
): Promise<Round> {
  const records = Array.from({ length: count }, randomRecord);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < records.length) {
      const batch = records.slice(next, (next += BATCH));
      await Promise.all(
        batch.map((record) => {
          const peer = peers[Math.floor(Math.random() * peers.length)]!;
          return ledger.settle(ledger.reserve(peer, 2 * PRICE_BYTES, 'work'), PRICE_BYTES, record);
        }),
      );
    }
  };
  const start = performance.now();
  const cpu = process.threadCpuUsage();
  await Promise.all(Array.from({ length: underWay }, worker));
  const { user, system } = process.threadCpuUsage(cpu);
  return { perSecond: (count / (performance.now() - start)) * 1_000, cpuUs: (user + system) / count };
}

/** The usual way, for comparison: same documents, same batches, same durability, on the main thread. */
function plainRounds(path: string, peers: readonly PeerId[], progress: (line: string) => void): number[] {
  const database = openDatabase(path);
  const { sqlite } = database;
  sqlite.exec('CREATE TABLE accounts (peer TEXT PRIMARY KEY, sent INTEGER NOT NULL) STRICT');
  sqlite.exec(
    'CREATE TABLE receipts (cid TEXT PRIMARY KEY, peer TEXT NOT NULL, price INTEGER NOT NULL, bytes BLOB) STRICT',
  );
  const account = sqlite.prepare(
    'INSERT INTO accounts VALUES (?, ?) ON CONFLICT (peer) DO UPDATE SET sent = sent + excluded.sent',
  );
  const receipt = sqlite.prepare('INSERT INTO receipts VALUES (?, ?, ?, ?)');
  const settleBatches = (count: number, batch: number): number => {
    const records = Array.from({ length: count }, randomRecord);
    const start = performance.now();
    for (let next = 0; next < records.length; next += batch) {
      transaction(database, () => {
        for (const { cid, bytes } of records.slice(next, next + batch)) {
          const peer = peers[Math.floor(Math.random() * peers.length)]!.toString();
          account.run(peer, PRICE_BYTES);
          receipt.run(cid, peer, PRICE_BYTES, bytes);
        }
      });
    }
    return (count / (performance.now() - start)) * 1_000;
  };
  settleBatches(RECEIPTS, 10_000);
  const figures = Array.from({ length: ROUNDS }, () => {
    const figure = settleBatches((BATCH * BATCHES_PER_ROUND) / 4, BATCH);
    progress(`plain tables: ${Math.round(figure)} settlements/s`);
    return figure;
  });
  database.close();
  return figures;
}

async function inMemory(
  ledger: PersistentScoreLedger,
  peer: PeerId,
  progress: (line: string) => void,
): Promise<number[]> {
  const figures: number[] = [];
  const count = 100_000;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) void ledger.settle(ledger.reserve(peer, 1_000, 'blocks'), 500);
    figures.push(((performance.now() - start) * 1_000) / count);
    progress(`reserve and settle in memory: ${figures.at(-1)!.toFixed(2)} us`);
    await ledger.flush();
  }
  return figures;
}

function restarts(path: string, peers: readonly PeerId[], progress: (line: string) => void): number[] {
  return Array.from({ length: ROUNDS }, (_, round) => {
    const ms = restart(path, peers[round]!);
    progress(`restart: ${ms.toFixed(1)} ms`);
    return ms;
  });
}

function restart(path: string, peer: PeerId): number {
  const start = performance.now();
  const { ledger, close } = open(path);
  ledger.abandon(ledger.reserve(peer, 1, 'work'), 0);
  const ms = performance.now() - start;
  close();
  return ms;
}

function randomPeer(): PeerId {
  const key = new Uint8Array(36);
  key.set([8, 1, 18, 32]);
  key.set(randomBytes(32), 4);
  return peerIdFromMultihash(Digest.create(0, key));
}

function randomRecord(): LedgerRecord {
  const cid = new Uint8Array(36);
  cid.set([1, 0x71, 0x12, 32]);
  cid.set(randomBytes(32), 4);
  return { cid: base32.encode(cid), bytes: randomBytes(RECORD_BYTES) };
}

function perSecond(round: Round): number {
  return round.perSecond;
}

function cpuUsOf(round: Round): number {
  return round.cpuUs;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function summary(name: string, values: number[], digits: number): Pick<Figure, 'name' | 'value' | 'spread'> {
  const round = (value: number): number => Number(value.toFixed(digits));
  return { name, value: round(median(values)), spread: [round(Math.min(...values)), round(Math.max(...values))] };
}

function rate(name: string, values: number[]): Figure {
  return { ...summary(name, values, 0), unit: '1/s', better: 'higher' };
}

function time(name: string, values: number[], unit: string): Figure {
  return { ...summary(name, values, 2), unit, better: 'lower' };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import { openDatabase, type Database } from '../store/sqlite/index.ts';
import type { LedgerClock } from './clock.ts';
import { createScoreLedger, type PersistentScoreLedger } from './ledger.ts';
import type { ScoreLedgerInit } from './options.ts';
import type { LedgerRecord } from './types.ts';

export { testKey, testPeer, testPeers } from './testing-peers.ts';

/** Time that passes only when a test says so. */
export class ManualClock implements LedgerClock {
  #wallMs = 1_700_000_000_000;
  #monotonicMs = 0;

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  pass(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** Only what the operating system believes changes. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** A restarted process counts from zero. */
  restart(): void {
    this.#monotonicMs = 0;
  }
}

export function testRecord(name: string | number): LedgerRecord {
  return { cid: `bafytest${name}`, bytes: new TextEncoder().encode(`receipt ${name}`) };
}

export interface OpenLedger {
  ledger: PersistentScoreLedger;
  database: Database;
  clock: ManualClock;
}

/** A ledger in memory that ends with the test. */
export function memoryLedger(init: Partial<ScoreLedgerInit> = {}): OpenLedger {
  const clock = new ManualClock();
  const database = openDatabase(':memory:');
  const ledger = createScoreLedger({ database, clock, ...init });
  onTestFinished(() => {
    ledger.stop();
    database.close();
  });
  return { ledger, database, clock };
}

/** A directory that ends with the test. */
export function testDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ledger-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';

import { openDatabase } from '../store/sqlite/index.ts';
import { scoreLedgerConformance, type LedgerUnderTest } from './conformance.ts';
import { createScoreLedger } from './ledger.ts';

const newcomerLineBytes = 100_000;
const policy = { newcomerLineBytes, refreshBytesPerSecond: 0, growthPercent: 0 };

async function inMemory(): Promise<LedgerUnderTest> {
  const database = openDatabase(':memory:');
  const ledger = createScoreLedger({ database, policy });
  return {
    ledger,
    newcomerLineBytes,
    async close() {
      ledger.stop();
      database.close();
    },
  };
}

async function onDisk(): Promise<LedgerUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'ledger-'));
  const path = join(directory, 'ledger.sqlite');
  const open = () => {
    const database = openDatabase(path);
    const ledger = createScoreLedger({ database, policy });
    return { database, ledger };
  };
  let now = open();
  const stop = () => {
    now.ledger.stop();
    now.database.close();
  };
  return {
    ledger: now.ledger,
    newcomerLineBytes,
    async reopen() {
      stop();
      now = open();
      return now.ledger;
    },
    async close() {
      stop();
      await rm(directory, { recursive: true });
    },
  };
}

describe.each([
  { kind: 'in memory', open: inMemory },
  { kind: 'on disk', open: onDisk },
])('a score ledger $kind', ({ open }) => {
  test.each(scoreLedgerConformance)('$name', ({ run }) => run(open));
});

import { join } from 'node:path';
import { expect, test } from 'vitest';

import { migrate, openDatabase } from '../store/sqlite/index.ts';
import type { Batch } from './batch.ts';
import type { LedgerError } from './errors.ts';
import { createScoreLedger } from './ledger.ts';
import { ledgerSchema } from './schema.ts';
import { testDirectory, testPeer, testRecord } from './testing.ts';
import { threadTarget } from './thread-target.ts';

function broken(): Batch {
  const receipts = { cids: ['a'] } as unknown as NonNullable<Batch['receipts']>;
  return { receipts: { ...receipts, bytes: new Uint8Array(1) }, checkpoint: undefined };
}

function openFile(): string {
  const path = join(testDirectory(), 'ledger.sqlite');
  const database = openDatabase(path);
  migrate(database, ledgerSchema);
  database.close();
  return path;
}

test('a writer that breaks fails what is under way and everything after it, and lets the process stop', async () => {
  const lost: LedgerError[] = [];
  const target = threadTarget(openFile(), (error) => lost.push(error));
  const submit = () => new Promise<unknown>((resolve) => target.submit(broken(), resolve));
  expect(await submit()).toMatchObject({ code: 'LEDGER_STOPPED', fault: 'provider' });
  expect(await submit()).toBe(lost[0]);
  expect(lost).toHaveLength(1);
  target.drain();
  target.close();
});

test('a synchronous stop learns that the writer broke', () => {
  const lost: LedgerError[] = [];
  const target = threadTarget(openFile(), (error) => lost.push(error));
  let outcome: unknown;
  target.submit(broken(), (error) => (outcome = error));
  target.drain();
  target.close();
  expect(outcome).toBe(lost[0]);
});

test('stopping in the same turn as the first settlement still makes it durable', async () => {
  const path = join(testDirectory(), 'ledger.sqlite');
  const peer = await testPeer(1);
  const database = openDatabase(path);
  const ledger = createScoreLedger({ database });
  const settled = ledger.settle(ledger.reserve(peer, 10, 'work'), 7, testRecord(1));
  ledger.addToSentBytes(peer, 3);
  ledger.stop();
  database.close();
  await settled;
  const again = openDatabase(path);
  const fresh = createScoreLedger({ database: again });
  expect(fresh.getReceipt(peer)).toMatchObject({ workSent: 7, blocksSent: 3 });
  fresh.stop();
  again.close();
});

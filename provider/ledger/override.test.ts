import { expect, test } from 'vitest';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PeerId } from '@libp2p/interface';
import { openDatabase } from '../store/index.ts';
import { createScoreLedger, type PersistentScoreLedger } from './ledger.ts';

/** Goal: what the operator decides for one peer holds at once, and moves the strangers' pool by exactly that peer's part. */

const LINE = 1000;

function open(): PersistentScoreLedger {
  return createScoreLedger({
    database: openDatabase(':memory:'),
    policy: {
      newcomerLineBytes: LINE,
      strangerPoolBytes: 1500,
      strangerPoolRefreshBytesPerSecond: 0,
      refreshBytesPerSecond: 0,
      growthPercent: 0,
    },
  });
}

async function peer(): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519'));
}

/** The most that this peer may still reserve. */
function room(ledger: PersistentScoreLedger, who: PeerId): number {
  for (let bytes = 5000; bytes > 0; bytes -= 100) {
    try {
      ledger.abandon(ledger.reserve(who, bytes, 'work'), 0);
      return bytes;
    } catch {
      // Less, then.
    }
  }
  return 0;
}

test('a blocked peer gets nothing more, and its old line when it is forgiven', async () => {
  const ledger = open();
  const other = await peer();
  ledger.addToSentBytes(other, 300);
  ledger.setOverride(other, 'blocked');
  expect(() => ledger.reserve(other, 1, 'work')).toThrow(/does not serve this peer/);
  expect(ledger.zone(other)).toBe('hard');
  ledger.setOverride(other, undefined);
  expect(room(ledger, other)).toBe(700);
  ledger.stop();
});

test('a peer with a limit of its own draws on the pool of strangers no more, what it drew goes back', async () => {
  const ledger = open();
  const [first, second] = [await peer(), await peer()];
  ledger.addToSentBytes(first, 900);
  const reservation = ledger.reserve(first, 100, 'work');
  expect(room(ledger, second)).toBe(500);
  ledger.setOverride(first, { limitBytes: 4000 });
  expect(room(ledger, second)).toBe(1000);
  expect(ledger.getAccount(first).limit).toBe(4000);
  await ledger.settle(reservation, 100);
  ledger.setOverride(first, undefined);
  expect(room(ledger, second)).toBe(500);
  ledger.stop();
});

test('it is part of the policy that readers of the file see, and a wrong one is refused by name', async () => {
  const ledger = open();
  const other = await peer();
  ledger.setOverride(other, { limitBytes: 5 });
  expect(ledger.policy.overrides).toEqual({ [other.toString()]: { limitBytes: 5 } });
  expect(() => ledger.setOverride(other, { limitBytes: -1 })).toThrow(/limitBytes must be a whole number/);
  expect(() => ledger.setOverride(other, { limit: 1 } as never)).toThrow(/is unknown/);
  expect(ledger.getAccount(other).limit).toBe(5);
  ledger.stop();
});

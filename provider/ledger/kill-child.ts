import { pathToFileURL } from 'node:url';

import { openDatabase } from '../store/sqlite/index.ts';
import { createScoreLedger } from './ledger.ts';
import { testPeers } from './testing-peers.ts';

/** The process that durability.test.ts kills: settles in a loop and tells its parent what was acknowledged. */

export interface Settled {
  cid: string;
  price: number;
}

export const PEERS = 4;
export const LINE_BYTES = 2 ** 40;

async function main(path: string, round: string): Promise<void> {
  const peers = await testPeers(PEERS);
  const ledger = createScoreLedger({
    database: openDatabase(path),
    policy: { newcomerLineBytes: LINE_BYTES, limitBytesMax: LINE_BYTES, strangerPoolBytes: PEERS * LINE_BYTES },
  });
  let count = 0;
  for (;;) {
    const batch = Array.from({ length: 1 + (count % 50) }, async (_, i) => {
      const n = count++;
      const peer = peers[n % PEERS]!;
      const price = 1 + (n % 1_000);
      const record = { cid: `bafykill${round}x${n}`, bytes: new Uint8Array(300).fill(n) };
      if (i % 5 === 0) await ledger.receiveWork(peer, price, record);
      else await ledger.settle(ledger.reserve(peer, 2_000, 'work'), price, record);
      return { cid: record.cid, price };
    });
    // Checkpoints have to meet the kill as well.
    if (count % 3 === 0) void ledger.flush();
    process.send?.(await Promise.all(batch));
  }
}

const [, script, path, round] = process.argv;
if (script !== undefined && import.meta.url === pathToFileURL(script).href && path !== undefined)
  await main(path, round ?? '');

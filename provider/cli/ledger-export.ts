import { existsSync } from 'node:fs';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CID } from 'multiformats/cid';
import type { HistoryFilter, StoredAccount, StoredReceipt } from '../ledger/index.ts';
import { UsageError } from './errors.ts';
import type { NamedLedger } from './ledger-files.ts';

/** Writes the statements of all accounts that have receipts, and the receipts, for others to check. */
export async function exportReceipts(
  files: readonly NamedLedger[],
  { path, identity, filter }: { path: string; identity: string; filter: HistoryFilter },
): Promise<void> {
  if (!existsSync(identity)) throw new UsageError(`There is no identity ${identity}. Name the node's with --identity.`);
  const [{ loadIdentity }, { peerIdFromPrivateKey }, { sealStatement, stateAccount, statementsCar }] =
    await Promise.all([import('../node/identity.ts'), import('@libp2p/peer-id'), import('../ledger/index.ts')]);
  const key = await loadIdentity(identity);
  const { peerIdFromString } = await import('@libp2p/peer-id');
  const us = peerIdFromPrivateKey(key);
  // A ledger that is named after an identity is that one's; the other is the directory's own.
  const own =
    files.find(({ name }) => name === `ledger-${us.toString()}.sqlite`) ??
    files.find(({ name }) => name === 'ledger.sqlite');
  if (own === undefined) throw new UsageError(`There is no ledger of ${us.toString()} here`);
  const { file } = own;
  const statements: Uint8Array[] = [];
  for (const account of file.accounts().filter((one) => isAsked(one, filter))) {
    const peer = peerIdFromString(account.peer);
    const stated = stateAccount({ getAccount: () => account, receipts: file.receipts }, us, peer, Date.now());
    statements.push(await sealStatement(stated, key));
  }
  let count = 0;
  function* documents(): Generator<{ cid: CID; bytes: Uint8Array }> {
    for (const receipt of listed(file.receipts.list(filter.peer === undefined ? {} : { peer: filter.peer }), filter)) {
      if (receipt.bytes === undefined) continue;
      count += 1;
      yield { cid: CID.parse(receipt.cid), bytes: receipt.bytes };
    }
  }
  await pipeline(Readable.from(statementsCar(statements, documents())), createWriteStream(path));
  console.log(`${path}: ${statements.length} account statements of ${us.toString()}, ${count} receipts`);
}

function isAsked({ peer, workSent, workRecv }: StoredAccount, filter: HistoryFilter): boolean {
  return workSent + workRecv > 0 && (filter.peer === undefined || filter.peer === peer);
}

/** Receipts come newest first. */
function* listed(receipts: Iterable<StoredReceipt>, { fromMs = 0 }: HistoryFilter): Generator<StoredReceipt> {
  for (const receipt of receipts) {
    if (receipt.timeMs < fromMs) return;
    if (receipt.kind === 'work') yield receipt;
  }
}

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerFile, StoredAccount } from '../ledger/index.ts';
import { UsageError } from './errors.ts';

export interface NamedLedger {
  /** Without its directory. */
  name: string;
  file: LedgerFile;
}

/** Every ledger of a node's directory, as of one moment each. Each identity that was used there has its own. */
export async function withLedgerFiles<T>(data: string, use: (files: NamedLedger[]) => T | Promise<T>): Promise<T> {
  if (!existsSync(data)) throw new UsageError(`There is no directory ${data}. Name the node's directory with --data.`);
  const { LedgerFile } = await import('../ledger/index.ts');
  const names = (await readdir(data)).filter((name) => /^ledger.*\.sqlite$/.test(name)).toSorted();
  const opened: NamedLedger[] = [];
  try {
    for (const name of names) opened.push({ name, file: new LedgerFile(join(data, name)) });
    return await use(opened);
  } finally {
    for (const { file } of opened) file.close();
  }
}

/** The account that the user means: a whole peer id, or the end of one as tables show it. */
export function findPeer(accounts: readonly StoredAccount[], text: string): string {
  const ending = text.replace(/^…/, '');
  const found = [...new Set(accounts.map(({ peer }) => peer))].filter((peer) => peer.endsWith(ending));
  if (found.length === 1) return found[0]!;
  const why = found.length === 0 ? 'There is no account of' : `${found.length} accounts end in`;
  throw new UsageError(`${why} ${text}. "workswap ledger --json" has the whole peer ids.`);
}

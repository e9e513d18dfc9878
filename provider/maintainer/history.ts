import type { CID } from 'multiformats/cid';
import { decodeCommit, type Commit } from '../../sdk/protocol/index.ts';
import type { GetBlock } from '../store/index.ts';

/** Commits from `newest` back, at most `limit`, each fetched by its CID. */
export async function readHistory(
  newest: CID | undefined,
  getBlock: GetBlock,
  limit: number,
  signal: AbortSignal,
): Promise<{ cid: CID; commit: Commit }[]> {
  const entries: { cid: CID; commit: Commit }[] = [];
  for (let cid = newest; cid !== undefined && entries.length < limit;) {
    const commit = decodeCommit(await getBlock(cid, { signal }));
    entries.push({ cid, commit });
    cid = commit.previous;
  }
  return entries;
}

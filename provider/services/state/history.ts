import type { CID } from 'multiformats/cid';
import { decodeCommit, DocumentError } from '../../../sdk/protocol/index.ts';
import { keyOfCid } from '../../store/index.ts';
import type { StateBlocks } from './blocks.ts';
import type { HistoryCommit } from './types.ts';

/** DAG-CBOR, sha2-256. */
const COMMIT_PREFIX = '\x01\x71\x12\x20';

/** @throws DocumentError when it is no commit of this service */
export async function loadCommit(
  blocks: StateBlocks,
  service: string,
  cid: CID,
  signal: AbortSignal | undefined,
): Promise<HistoryCommit> {
  const key = keyOfCid(cid);
  if (key.length !== 36 || !key.startsWith(COMMIT_PREFIX)) throw new DocumentError('commit', `${cid} names no commit`);
  const commit = decodeCommit(await blocks.loadBytes(key, signal));
  if (commit.service === service) return { cid, commit };
  throw new DocumentError('commit', `${cid} belongs to ${commit.service} and not to ${service}`);
}

/** The chain of commits, newest first. It ends, since a commit holds the hash of the one before. */
export async function* commitsFrom(
  blocks: StateBlocks,
  service: string,
  from: CID | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<HistoryCommit> {
  for (let next = from; next !== undefined;) {
    const entry = await loadCommit(blocks, service, next, signal);
    yield entry;
    next = entry.commit.previous;
  }
}

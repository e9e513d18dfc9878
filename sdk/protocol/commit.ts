import type { CID } from 'multiformats/cid';
import { CborReader, CborWriter, key } from './cbor.ts';
import { dagCborCid } from './cids.ts';
import { DocumentError } from './signed.ts';

/** One change of a service's state. Whoever replays the tasks in order from `before` gets `after`. */
export interface Commit {
  /** The service's IPNS name. */
  service: string;
  /** The commit before this one; undefined for the first. */
  previous: CID | undefined;
  before: CID;
  after: CID;
  /** Updates in the order in which they ran. Empty for a rollback. */
  tasks: CID[];
  /** When it was made, by the provider's clock; milliseconds since 1970. */
  timeMs: number;
  /** Merkle root over the messages that its tasks sent, in order; absent when they sent none. */
  sent?: Uint8Array;
}

/** Updates in one commit; its block stays far below what Bitswap carries. */
export const COMMIT_TASKS_MAX = 1024;
export const SERVICE_BYTES_MAX = 128;
/** A task's CID takes at most 41 bytes here, and everything else is shorter than 1 KiB. */
const BLOCK_BYTES_MAX = COMMIT_TASKS_MAX * 64 + 1024;

const HASH_BYTES = 32;
const SENT = key('sent');
const AFTER = key('after');
const TASKS = key('tasks');
const BEFORE = key('before');
const TIME = key('timeMs');
const SERVICE = key('service');
const VERSION = key('version');
const PREVIOUS = key('previous');
const NULL = Uint8Array.of(0xf6);

/** The commit's DAG-CBOR block `{version, service, previous, before, after, tasks, timeMs, sent?}`. */
export function encodeCommit(commit: Commit): Uint8Array {
  const { sent } = commit;
  const writer = new CborWriter().map(sent === undefined ? 7 : 8);
  if (sent !== undefined) writer.raw(SENT).bytes(sent);
  writer.raw(AFTER).cid(commit.after).raw(TASKS).list(commit.tasks.length);
  for (const task of commit.tasks) writer.cid(task);
  writer.raw(BEFORE).cid(commit.before).raw(TIME).uint(commit.timeMs).raw(SERVICE).text(commit.service);
  writer.raw(VERSION).uint(1).raw(PREVIOUS);
  return (commit.previous === undefined ? writer.raw(NULL) : writer.cid(commit.previous)).finish();
}

export function commitCid(commit: Commit): CID {
  return dagCborCid(encodeCommit(commit));
}

/** @throws DocumentError when the block is not a commit in its one encoding */
export function decodeCommit(bytes: Uint8Array): Commit {
  if (bytes.length > BLOCK_BYTES_MAX) throw new DocumentError('commit', `it has more than ${BLOCK_BYTES_MAX} bytes`);
  let commit: Commit;
  try {
    commit = readCommit(new CborReader(bytes));
  } catch (error) {
    throw new DocumentError('commit', (error as Error).message);
  }
  // A CID can be written in more than one way; one commit must have one name.
  if (Buffer.compare(encodeCommit(commit), bytes) !== 0)
    throw new DocumentError('commit', 'it is not encoded canonically');
  return commit;
}

function readCommit(reader: CborReader): Commit {
  const fields = reader.mapSize();
  if (fields !== 7 && fields !== 8) throw new Error(`expected a map of 7 or 8`);
  let sent: Uint8Array | undefined;
  if (fields === 8) {
    reader.key(SENT);
    sent = reader.bytes().slice();
    if (sent.length !== HASH_BYTES) throw new Error('sent is not a hash');
  }
  reader.key(AFTER);
  const after = reader.cid();
  reader.key(TASKS);
  const tasks = Array.from({ length: reader.listSize(COMMIT_TASKS_MAX) }, () => reader.cid());
  reader.key(BEFORE);
  const before = reader.cid();
  reader.key(TIME);
  const timeMs = reader.uint();
  reader.key(SERVICE);
  const service = reader.text();
  if (service.length === 0 || service.length > SERVICE_BYTES_MAX) throw new Error('its service has no name');
  reader.key(VERSION);
  const version = reader.uint();
  if (version !== 1) throw new Error(`version ${version} is not known`);
  reader.key(PREVIOUS);
  const previous = reader.tryKey(NULL) ? undefined : reader.cid();
  reader.end();
  return { service, previous, before, after, tasks, timeMs, ...(sent === undefined ? {} : { sent }) };
}

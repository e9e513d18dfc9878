import { COMMIT_TASKS_MAX } from '../../../sdk/protocol/commit.ts';
import { BATCH_SIZE_MAX } from '../../../sdk/protocol/merkle.ts';

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const STATE_LIMITS = {
  /** Decoded directory nodes, of all services. 100,000 files take about 40 MiB. */
  nodesBytesMax: 128 * MIB,
  /** Bytes of files that were read or written last. */
  filesBytesMax: 64 * MIB,
  /** Where files are that were looked up last, by root and path. */
  pathsBytesMax: 16 * MIB,
  /** Sharded directories in the order of their names. 100,000 files take about 8 MiB, the next root's list as much. */
  listingsBytesMax: 64 * MIB,
  /** Updates of one commit, and the bytes that they wrote. */
  groupTasksMax: COMMIT_TASKS_MAX,
  groupBytesMax: 64 * MIB,
  /** While more updates come, a group waits until it has this many, or this long. */
  groupTasksMin: 32,
  groupWaitMs: 3,
  /** Messages of one commit: what its Merkle root can be over. */
  groupMessagesMax: BATCH_SIZE_MAX,
  /** Updates of one service that wait for their turn. */
  queueMax: 4096,
  /** The answer to an update that is kept to be given again. */
  answerBytesMax: 64 * 1024,
  answersBytesMax: 256 * MIB,
  /** A task is accepted 5 minutes before and after its time, so 10 minutes after it was applied at the latest. */
  appliedKeepMs: 11 * MINUTE_MS,
  /** Applied tasks that are looked up without the disk. */
  appliedInMemory: 8192,
  /** Messages of one service that wait to be delivered, and of all: their number and bytes. */
  outboxMessagesMax: 10_000,
  outboxBytesMax: 64 * MIB,
  outboxesMessagesMax: 100_000,
  outboxesBytesMax: 1024 * MIB,
  /** Messages that were refused or expired, and since when, are remembered: the newest of each service. */
  outboxEndedMax: 100,
  /** A message is delivered for so long, and taken from others a little longer: clocks differ. */
  messageKeepMs: 7 * DAY_MS,
  messageAgeMsMax: 8 * DAY_MS,
  /** What may be imported as one state. */
  importNodesMax: 4_000_000,
  importBytesMax: 64 * 1024 * MIB,
} as const;

export type StateLimits = { readonly [name in keyof typeof STATE_LIMITS]: number };

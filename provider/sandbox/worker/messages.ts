import type { MessagePort } from 'node:worker_threads';
import type { Fault } from '../../../sdk/protocol/errors.ts';
import type { LoadedModule, StateEntry, StateStat } from '../types.ts';

/** What every worker of a pool gets as `workerData`. */
export interface WorkerSetup {
  /** For `worker-start.cjs`: the URL of the worker's module. */
  entry: string;
  control: SharedArrayBuffer;
  mailboxes: SharedArrayBuffer;
  instanceCacheBytesMax: number;
  moduleCacheBytesMax: number;
  garbageBytesMax: number;
}

/** What a worker is told to do, for as long as it lives. */
export interface LaneStart {
  slot: number;
  /** The last request that is not its own. */
  served: number;
  /** For its questions, and for what is too large for the mailbox. */
  port: MessagePort;
}

/** Names a job on a worker. */
export interface JobPlace {
  generation: number;
  index: number;
}

/** A worker's question on behalf of the job that runs; it waits for the answer. */
export type Question = JobPlace &
  (
    | { kind: 'module' }
    | { kind: 'read'; cid: Uint8Array; offset: number; length: number }
    | { kind: 'size'; cid: Uint8Array }
    | { kind: 'stateFile'; path: string; withHead: boolean }
    | { kind: 'stateRead'; path: string; offset: number; length: number }
    | { kind: 'stateList'; path: string; after: string; limit: number }
  );

/** Bytes of a file that come with the first question about it: most files of a state are small, and read next. */
export const STATE_HEAD_BYTES = 16 * 1024;

/** Entries of a directory in two arrays: a message takes as long as it has objects. */
export interface PackedListing {
  names: string[];
  /** Of a directory -1. */
  sizes: number[];
  total: number;
}

export function packListing({ entries, total }: { entries: readonly StateEntry[]; total: number }): PackedListing {
  const sizes = entries.map(({ kind, size }) => (kind === 'directory' ? -1 : size));
  return { names: entries.map(({ name }) => name), sizes, total };
}

export function unpackListing({ names, sizes, total }: PackedListing): { entries: StateEntry[]; total: number } {
  const entries = names.map((name, i): StateEntry => {
    const size = sizes[i]!;
    return size < 0 ? { name, kind: 'directory', size: 0 } : { name, kind: 'file', size };
  });
  return { entries, total };
}

export interface AnswerError {
  code: string;
  message: string;
  fault: Fault;
  retryable: boolean;
}

export type Answer =
  | { kind: 'module'; module: LoadedModule }
  | { kind: 'read'; bytes: Uint8Array }
  | { kind: 'size'; size: number }
  | { kind: 'stateFile'; stat: StateStat | undefined; head: Uint8Array | undefined }
  | { kind: 'stateRead'; bytes: Uint8Array | undefined }
  | { kind: 'stateList'; listing: PackedListing | undefined }
  | { kind: 'error'; error: AnswerError };

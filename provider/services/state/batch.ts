import type { Key } from '../../store/index.ts';

/** What one transaction writes. Plain values: it crosses threads. */
export interface Batch {
  states: StateRow[];
  applied: AppliedRow[];
  /** Blocks one after the other in `blockBytes`. */
  blockKeys: Key[];
  blockEnds: number[];
  blockBytes: Uint8Array;
  /** Rows of the journal up to this one are in the block store, safely. */
  journalDone?: number;
  /** Tasks applied before are forgotten. */
  appliedBeforeMs?: number;
}

export interface StateRow {
  id: number;
  service: string;
  root: Key;
  commit: Key | undefined;
  /** The row's `sequence` afterwards, exactly one more than before; 1 makes the row. */
  sequence: number;
}

export interface AppliedRow {
  state: number;
  task: Key;
  commit: Key | undefined;
  timeMs: number;
  answer: Uint8Array | undefined;
}

export interface Written {
  /** The journal's newest row. */
  journalEnd: number;
}

export function emptyBatch(): Batch {
  return { states: [], applied: [], blockKeys: [], blockEnds: [], blockBytes: new Uint8Array(0) };
}

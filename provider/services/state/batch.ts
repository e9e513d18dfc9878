import type { Key } from '../../store/index.ts';

/** What one transaction writes. Plain values: it crosses threads. */
export interface Batch {
  states: StateRow[];
  applied: AppliedRow[];
  delivered: DeliveredRow[];
  sent: OutboxRow[];
  /** What became of messages of the outbox. */
  settled: SettledRow[];
  /** Blocks one after the other in `blockBytes`. */
  blockKeys: Key[];
  blockEnds: number[];
  blockBytes: Uint8Array<ArrayBuffer>;
  /** Tasks applied before are forgotten. */
  appliedBeforeMs?: number;
  /** What was delivered here and could not come again at this time is forgotten. */
  deliveredBeforeMs?: number;
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

/** A message that came to a service, by its `deliveryKey`. */
export interface DeliveredRow {
  state: number;
  message: Key;
  commit: Key | undefined;
  expiresMs: number;
}

/** A message on its way out. */
export interface OutboxRow {
  state: number;
  recipient: string;
  id: Uint8Array;
  timeMs: number;
  /** Encoded. */
  message: Uint8Array;
}

export interface SettledRow {
  state: number;
  sequence: number;
  /** Absent when it was delivered; else it is given up, and this is why. */
  failure?: { code: string; reason: string; endedMs: number; keptMax: number };
}

export function emptyBatch(): Batch {
  return {
    states: [],
    applied: [],
    delivered: [],
    sent: [],
    settled: [],
    blockKeys: [],
    blockEnds: [],
    blockBytes: new Uint8Array(0),
  };
}

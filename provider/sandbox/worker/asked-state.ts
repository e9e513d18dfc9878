import type { StateReader } from '../engine/job-state.ts';
import type { StateEntry, StateStat } from '../types.ts';
import { STATE_HEAD_BYTES, unpackListing, type Answer, type Question } from './messages.ts';

type StateKind = 'stateFile' | 'stateRead' | 'stateList';
type QuestionOf<K extends StateKind> = Extract<Question, { kind: K }>;
type Unplaced<T> = T extends unknown ? Omit<T, 'generation' | 'index'> : never;

export type AskState = <K extends StateKind>(
  question: Unplaced<QuestionOf<K>> & { kind: K },
) => Extract<Answer, { kind: K }>;

interface Known {
  stat: StateStat | undefined;
  head: Uint8Array | undefined;
}

/** Files that are remembered for the job that runs; each with the first bytes of its content. */
const KNOWN_MAX = 64;

/**
 * The state of the job that runs, asked of the main thread. A question is a round trip, so the first one about a file
 * brings its beginning along, and a job asks about the same file once: what it starts from does not change under it.
 */
export class AskedState implements StateReader {
  readonly #ask: AskState;
  readonly #known = new Map<string, Known>();

  constructor(ask: AskState) {
    this.#ask = ask;
  }

  reset(): void {
    if (this.#known.size > 0) this.#known.clear();
  }

  stat(path: string, isReadNext = true): StateStat | undefined {
    return this.#of(path, isReadNext).stat;
  }

  read(path: string, offset: number, length: number): Uint8Array | undefined {
    const { stat, head } = this.#of(path, true);
    if (stat?.kind !== 'file') return undefined;
    const end = Math.min(offset + length, stat.size);
    if (offset >= end) return new Uint8Array(0);
    if (head !== undefined && end <= head.length) return head.subarray(offset, end);
    return this.#ask({ kind: 'stateRead', path, offset, length: end - offset }).bytes;
  }

  list(path: string, after: string, limit: number): { entries: StateEntry[]; total: number } | undefined {
    const { listing } = this.#ask({ kind: 'stateList', path, after, limit });
    return listing && unpackListing(listing);
  }

  #of(path: string, withHead: boolean): Known {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const { stat, head } = this.#ask({ kind: 'stateFile', path, withHead });
    // A whole file that is longer than what came along is asked for in its own ranges.
    const found = { stat, head: head !== undefined && head.length <= STATE_HEAD_BYTES ? head : undefined };
    if (this.#known.size >= KNOWN_MAX) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(path, found);
    return found;
  }
}

import type { StateEntry, StateStat, StateView } from '../../sandbox/index.ts';

type Listing = { entries: StateEntry[]; total: number } | undefined;
type Seen =
  | { call: 'stat'; path: string; result: StateStat | undefined }
  | { call: 'read'; path: string; offset: number; length: number; result: Uint8Array | undefined }
  | { call: 'list'; path: string; after: string; limit: number; result: Listing };

/** What is remembered to be compared; an update that looks at more is run again when anything has changed. */
const CALLS_MAX = 64;
const COMPARED_MAX = 64 * 1024;

const never = new AbortController().signal;

/**
 * A view that remembers what it answered. A handler is a function of its task and of what it saw, so an update that ran
 * ahead of its turn counts when it would see the same in its turn.
 */
export class RecordedView implements StateView {
  readonly #view: StateView;
  readonly #seen: Seen[] = [];
  #compared = 0;
  #isTooMuch = false;

  constructor(view: StateView) {
    this.#view = view;
  }

  stat(path: string, signal: AbortSignal): ReturnType<StateView['stat']> {
    return this.#note(this.#view.stat(path, signal), 1, (result) => ({ call: 'stat', path, result }));
  }

  read(path: string, offset: number, length: number, signal: AbortSignal): ReturnType<StateView['read']> {
    const size = (result: Uint8Array | undefined): number => result?.length ?? 0;
    return this.#note(this.#view.read(path, offset, length, signal), size, (result) => ({
      call: 'read',
      path,
      offset,
      length,
      // The caller may give it away to another thread.
      result: result?.slice(),
    }));
  }

  list(path: string, after: string, limit: number, signal: AbortSignal): ReturnType<StateView['list']> {
    const size = (result: Listing): number => 64 * (result?.entries.length ?? 0);
    return this.#note(this.#view.list(path, after, limit, signal), size, (result) => ({
      call: 'list',
      path,
      after,
      limit,
      result,
    }));
  }

  /** Whether `view` answers everything in the same way, and at once. */
  holdsIn(view: StateView): boolean {
    return !this.#isTooMuch && this.#seen.every((seen) => isSame(seen, view));
  }

  #note<T>(
    result: T | Promise<T>,
    size: number | ((result: T) => number),
    toSeen: (result: T) => Seen,
  ): T | Promise<T> {
    if (result instanceof Promise) return result.then((late) => this.#note(late, size, toSeen) as T);
    this.#compared += typeof size === 'number' ? size : size(result);
    if (this.#seen.length >= CALLS_MAX || this.#compared > COMPARED_MAX) this.#isTooMuch = true;
    else this.#seen.push(toSeen(result));
    return result;
  }
}

function isSame(seen: Seen, view: StateView): boolean {
  if (seen.call === 'stat') {
    const now = view.stat(seen.path, never);
    if (now instanceof Promise) return given(now);
    return now?.kind === seen.result?.kind && now?.size === seen.result?.size;
  }
  if (seen.call === 'read') {
    const now = view.read(seen.path, seen.offset, seen.length, never);
    if (now instanceof Promise) return given(now);
    if (now === undefined || seen.result === undefined) return now === seen.result;
    return Buffer.compare(now, seen.result) === 0;
  }
  const now = view.list(seen.path, seen.after, seen.limit, never);
  if (now instanceof Promise) return given(now);
  if (now === undefined || seen.result === undefined) return now === seen.result;
  const { entries, total } = seen.result;
  return (
    now.total === total &&
    now.entries.length === entries.length &&
    now.entries.every(({ name, kind, size }, i) => {
      const before = entries[i]!;
      return name === before.name && kind === before.kind && size === before.size;
    })
  );
}

/** It has to be fetched first: the update is run again, and fetches it itself. */
function given(pending: Promise<unknown>): false {
  pending.catch(() => {});
  return false;
}

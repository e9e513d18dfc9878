import { lowerBound, type Link } from './nodes.ts';
import { compareNames } from './names.ts';

/** Large enough to make the list of chunks short, small enough to be copied for one change. */
const CHUNK_LINKS = 512;

/**
 * All entries of a directory in the order of their names, never changed. The list after a change shares what did not
 * change with the one before, so that a directory of 100,000 files is put in order once and not after each update.
 */
export class SortedLinks {
  readonly total: number;
  readonly #chunks: readonly (readonly Link[])[];

  constructor(chunks: readonly (readonly Link[])[]) {
    this.#chunks = chunks;
    this.total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  static from(links: Iterable<Link>): SortedLinks {
    return new SortedLinks(cut([...links].sort((a, b) => compareNames(a.name, b.name))));
  }

  /** Entries behind the name `after`, in order. */
  *behind(after: string): Generator<Link> {
    for (let chunk = after === '' ? 0 : this.#chunkOf(after); chunk < this.#chunks.length; chunk++) {
      const links = this.#chunks[chunk]!;
      let at = after === '' ? 0 : lowerBound(links, after);
      if (links[at]?.name === after) at += 1;
      for (; at < links.length; at++) yield links[at]!;
    }
  }

  /** The list after changes; undefined stands for a removed name. */
  with(changes: Iterable<readonly [string, Link | undefined]>): SortedLinks {
    const byChunk = Map.groupBy(changes, ([name]) => this.#chunkOf(name));
    const chunks: (readonly Link[])[] = [];
    for (let i = 0; i < Math.max(1, this.#chunks.length); i++) {
      const own = byChunk.get(i);
      const links = this.#chunks[i] ?? [];
      if (own === undefined) chunks.push(links);
      else chunks.push(...cut(mergeLinks(links, own)));
    }
    return new SortedLinks(chunks);
  }

  /** The chunk that has the name, or would have it. */
  #chunkOf(name: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (compareNames(this.#chunks[middle]![0]!.name, name) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function cut(links: readonly Link[]): (readonly Link[])[] {
  if (links.length === 0) return [];
  if (links.length <= 2 * CHUNK_LINKS) return [links];
  const chunks: (readonly Link[])[] = [];
  for (let at = 0; at < links.length; at += CHUNK_LINKS) chunks.push(links.slice(at, at + CHUNK_LINKS));
  return chunks;
}

/** Ordered links after changes of any order, at most one for each name. */
export function mergeLinks(
  links: readonly Link[],
  changes: Iterable<readonly [string, Link | undefined]>,
): readonly Link[] {
  const ordered = [...changes].sort(([a], [b]) => compareNames(a, b));
  const merged: Link[] = [];
  let from = 0;
  for (const [name, link] of ordered) {
    const at = lowerBound(links, name);
    for (; from < at; from++) merged.push(links[from]!);
    if (links[at]?.name === name) from = at + 1;
    if (link !== undefined) merged.push(link);
  }
  for (; from < links.length; from++) merged.push(links[from]!);
  return merged;
}

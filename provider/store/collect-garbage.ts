import { setImmediate } from 'node:timers/promises';
import type { CID } from 'multiformats/cid';
import type { CollectableBlocks } from './blockstore-types.ts';
import { rawCidOf } from './blockstore-disk.ts';
import { DigestSet } from './digest-set.ts';
import { linkKind, linksOf } from './links.ts';
import { walkDag } from './walk-dag.ts';

export interface Collected {
  /** Blocks below the roots. */
  marked: number;
  kept: number;
  removed: number;
  removedBytes: number;
}

export interface CollectInit {
  blocks: CollectableBlocks;
  /** Everything that has to stay, with all that is below it. Asked for once, after the collection has begun. */
  roots: () => AsyncIterable<CID> | Iterable<CID>;
  /** What is younger stays: somebody may be about to name it in a root. */
  freshMs: number;
  /** Counts, and removes nothing. */
  dryRun?: boolean;
  signal?: AbortSignal;
  onProgress?: (so: Collected) => void;
}

/** More at once leave V8 with more to clean up: with 16 a provider with a million blocks had 534 MiB at its peak, with 2 480. */
const READS_MAX = 2;
const ROOTS_AT_ONCE = 1000;
/** Blocks that are read, or removed, before others get their turn. */
const READS_AT_ONCE = 32;
const REMOVALS_AT_ONCE = 32;
const IDENTITY = 0x00;

/**
 * Mark and sweep while everything runs. Marked is what can be reached from the roots over blocks that are here; the rest
 * is removed, unless it is young, or was put, read or looked for since the collection began: so a walk that finds a block
 * here, and a commit that needs one again, can rely on it. Memory is 16 bytes for each marked block, and as much again for inner nodes.
 */
export async function collectGarbage(init: CollectInit): Promise<Collected> {
  const { blocks, dryRun = false, signal, onProgress } = init;
  const so: Collected = { marked: 0, kept: 0, removed: 0, removedBytes: 0 };
  const beforeMs = Date.now() - init.freshMs;
  blocks.startCollecting();
  try {
    const marked = new DigestSet();
    const seen = new DigestSet();
    const enter = (cid: CID): boolean => {
      marked.add(cid.multihash);
      so.marked = marked.size;
      return linkKind(cid) === 'node';
    };
    let reads = 0;
    const read = async (cid: CID): Promise<Uint8Array | undefined> => {
      if (cid.multihash.code === IDENTITY) return cid.multihash.digest;
      // A block that comes from memory or a database is there at once: others get their turn all the same.
      if (++reads % READS_AT_ONCE === 0) await setImmediate();
      return blocks.read(cid);
    };
    const visit = async (cid: CID): Promise<Iterable<CID>> => {
      const bytes = await read(cid);
      onProgress?.(so);
      try {
        return bytes === undefined ? [] : linksOf(cid, bytes);
      } catch {
        // What is malformed leads nowhere.
        return [];
      }
    };
    const mark = (roots: CID[]): Promise<void> =>
      walkDag(roots, { seen, enter, visit, parallel: () => READS_MAX, ...(signal === undefined ? {} : { signal }) });
    let some: CID[] = [];
    for await (const root of init.roots()) {
      some.push(root);
      if (some.length < ROOTS_AT_ONCE) continue;
      await mark(some);
      some = [];
    }
    await mark(some);
    let removals = 0;
    for await (const multihashes of blocks.directories()) {
      for (const multihash of multihashes) {
        const isMarked = marked.has(multihash);
        const bytes = isMarked ? undefined : blocks.removeUnused(rawCidOf(multihash), beforeMs, dryRun);
        if (bytes === undefined) {
          so.kept++;
          continue;
        }
        so.removed++;
        so.removedBytes += bytes;
        if (++removals % REMOVALS_AT_ONCE === 0) await setImmediate();
      }
      signal?.throwIfAborted();
      onProgress?.(so);
    }
  } finally {
    blocks.stopCollecting();
  }
  return so;
}

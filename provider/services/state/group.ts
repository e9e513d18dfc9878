import type { CID } from 'multiformats/cid';
import type { StateChanges } from '../../sandbox/index.ts';
import {
  applyChanges,
  ChangedDirectory,
  DirectoryError,
  FILE_BYTES_MAX,
  NewNodes,
  splitPath,
  whenLoaded,
  type Applied,
  type Key,
} from '../../store/index.ts';
import type { StateBlocks } from './blocks.ts';
import type { OutboxRow } from './batch.ts';
import { StateError } from './errors.ts';
import type { UpdatedAt, UpdateOptions, UpdateResult } from './types.ts';

/** An update that ran and is not committed yet. */
export interface RanUpdate extends Required<Omit<UpdateResult, 'messages' | 'isTaken'>> {
  task: CID;
  /** In the outbox's accounts already. */
  sent: readonly OutboxRow[];
  delivery: UpdateOptions['delivery'];
  done: PromiseWithResolvers<UpdatedAt>;
}

/** A root with all changes of a group on it, or of as many updates as can be had. */
export interface AppliedGroup {
  applied: Applied;
  updates: readonly RanUpdate[];
  /** The first update that cannot be applied, and why; those behind it have seen what never was. */
  failed: { update: RanUpdate; error: unknown; after: readonly RanUpdate[] } | undefined;
}

/** @throws DirectoryError INVALID_PATH, FILE_TOO_LARGE, before anything has changed */
export function checkChanges({ removed, written }: StateChanges): void {
  for (const path of [...removed, ...written.keys()]) {
    if (splitPath(path).length > 0) continue;
    throw new DirectoryError('INVALID_PATH', 'The root directory of a state cannot be written or removed.');
  }
  for (const bytes of written.values()) {
    if (bytes.length <= FILE_BYTES_MAX) continue;
    throw new DirectoryError(
      'FILE_TOO_LARGE',
      `A file has ${bytes.length} bytes; at most ${FILE_BYTES_MAX} are allowed.`,
    );
  }
}

export function foldChanges(tree: ChangedDirectory, { removed, written }: StateChanges): void {
  for (const path of removed) tree.remove(path);
  for (const [path, bytes] of written) tree.write(path, bytes);
}

/** The changes of many updates as one tree; undefined when there are none. */
export function foldUpdates(updates: readonly RanUpdate[]): ChangedDirectory | undefined {
  let tree: ChangedDirectory | undefined;
  for (const { changes } of updates) {
    if (changes === undefined) continue;
    tree ??= new ChangedDirectory();
    foldChanges(tree, changes);
  }
  return tree;
}

/** The new root of a group: at once when all that it takes is in memory. */
export function applyGroup(blocks: StateBlocks, root: Key, changes: ChangedDirectory): Applied | Promise<Applied> {
  return whenLoaded(blocks, (nodes) => applyChanges(nodes, root, changes), undefined);
}

/**
 * The longest beginning of a group that can be applied. Names whose hashes collide are found only when the root is made;
 * whoever chose them must not spoil the updates of others before it.
 */
export async function applyLongest(
  blocks: StateBlocks,
  root: Key,
  updates: readonly RanUpdate[],
): Promise<AppliedGroup> {
  let good: Applied | undefined;
  for (const [i, update] of updates.entries()) {
    const tree = foldUpdates(updates.slice(0, i + 1));
    try {
      if (tree !== undefined) good = await applyGroup(blocks, root, tree);
    } catch (error) {
      const failed = { update, error, after: updates.slice(i + 1) };
      return { applied: good ?? unchanged(root), updates: updates.slice(0, i), failed };
    }
  }
  return { applied: good ?? unchanged(root), updates, failed: undefined };
}

export function unchanged(root: Key): Applied {
  return { root, made: new NewNodes() };
}

export function undone(service: string, cause?: unknown): StateError {
  const message = `The update saw changes of one before it that could not be kept in the state of ${service}, so it was undone. Ask again.`;
  return new StateError('UPDATE_UNDONE', message, { cause });
}

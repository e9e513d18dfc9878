import type { CID } from 'multiformats/cid';
import {
  dagCborCid,
  encodeCommit,
  messageHash,
  MESSAGES_PER_UPDATE_MAX,
  messagesRoot,
  type Commit,
} from '../../../sdk/protocol/index.ts';
import type { StateView } from '../../sandbox/index.ts';
import { ChangedDirectory, cidOfKey, DirectoryError, keyOfCid, type Key } from '../../store/index.ts';
import type { AppliedTasks } from './applied-tasks.ts';
import type { AppliedRow, DeliveredRow } from './batch.ts';
import type { BatchQueue } from './batch-queue.ts';
import type { StateBlocks } from './blocks.ts';
import {
  applyGroup,
  applyLongest,
  foldChanges,
  foldUpdates,
  undone,
  unchanged,
  type AppliedGroup,
  type RanUpdate,
} from './group.ts';
import type { StateLimits } from './limits.ts';
import { bytesOf, type Outbox } from './outbox.ts';
import type { UpdatedAt } from './types.ts';
import { TreeView } from './view.ts';

/** A state as it is after a commit. */
export interface Head {
  root: Key;
  commit: CID | undefined;
  sequence: number;
}

export interface CommitterInit {
  id: number;
  service: string;
  blocks: StateBlocks;
  queue: BatchQueue;
  appliedTasks: AppliedTasks;
  outbox: Outbox;
  limits: StateLimits;
  onCommit: () => void;
  /** Whether another update is about to come. */
  moreCome: () => boolean;
}

/**
 * Updates of one service that ran, on their way to the disk. Three states exist at once: the committed one, which queries
 * see; the head, whose commit is being written; and the head with the open group's changes on top, which the next update
 * sees. The group is closed when the disk is ready for it: then its root is made, once for all its updates.
 */
export class Committer {
  readonly #init: CommitterInit;
  #committed: Head;
  #head: Head;
  #open: RanUpdate[] = [];
  #openBytes = 0;
  #openMessages = 0;
  /** Nodes that the newest commit took out of the root. */
  #replaced: readonly Key[] = [];
  /** What the open group changed, and a group before it whose root is still being made. */
  #changes: ChangedDirectory | undefined;
  #running: Promise<void> | undefined;
  #gathered: (() => void) | undefined;
  #undoneCount = 0;
  #version = 0;
  #closing = Promise.withResolvers<void>();

  constructor(init: CommitterInit, head: Head) {
    this.#init = init;
    this.#committed = head;
    this.#head = head;
  }

  get committed(): Head {
    return this.#committed;
  }

  /** Grows when updates are undone: one that was running then has seen what never was. */
  get undoneCount(): number {
    return this.#undoneCount;
  }

  /** Another number when the next update sees something else than before. */
  get version(): number {
    return this.#version;
  }

  /** What the next update sees; it stays as it is until another is added. */
  view(): StateView {
    return new TreeView(this.#init.blocks, this.#head.root, { changes: this.#changes });
  }

  /** Takes an update that ran on the last `view`; its `done` settles when it is durable. */
  add(update: RanUpdate): void {
    if (update.changes !== undefined) {
      this.#version += 1;
      this.#changes ??= new ChangedDirectory();
      foldChanges(this.#changes, update.changes);
      for (const bytes of update.changes.written.values()) this.#openBytes += bytes.length;
    }
    for (const bytes of update.blocks?.values() ?? []) this.#openBytes += bytes.length;
    this.#openBytes += bytesOf(update.sent);
    this.#openMessages += update.sent.length;
    this.#open.push(update);
    if (this.#isGathered()) this.#gathered?.();
    this.#running ??= this.#run();
  }

  /** Resolves when the open group may take one more. */
  async room(): Promise<void> {
    const { groupTasksMax, groupBytesMax, groupMessagesMax } = this.#init.limits;
    const messagesMax = groupMessagesMax - MESSAGES_PER_UPDATE_MAX;
    while (this.#open.length >= groupTasksMax || this.#openBytes >= groupBytesMax || this.#openMessages > messagesMax) {
      await this.#closing.promise;
    }
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Only when idle: a commit of no task to the root of an earlier one. @throws StoreError */
  async commitRoot(root: Key): Promise<{ cid: CID; commit: Commit }> {
    const before = this.#head;
    const commit = this.#commitOf(before, root, []);
    try {
      await this.#write(before, unchanged(root), commit, []);
      this.#version += 1;
      return { cid: this.#head.commit!, commit };
    } catch (error) {
      this.#head = this.#committed;
      throw error;
    }
  }

  async #run(): Promise<void> {
    while (this.#open.length > 0) {
      await this.#gather();
      await this.#commitGroup(this.#close());
    }
    // In the turn in which nothing more was found, so that nothing is added in between.
    this.#running = undefined;
  }

  /** A sync costs the same for one update and for many: whoever is about to come is waited for, a little. */
  async #gather(): Promise<void> {
    if (this.#isGathered()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gathered = resolve;
    const timer = setTimeout(resolve, this.#init.limits.groupWaitMs);
    await promise;
    clearTimeout(timer);
    this.#gathered = undefined;
  }

  #isGathered(): boolean {
    return this.#open.length >= this.#init.limits.groupTasksMin || !this.#init.moreCome();
  }

  #close(): RanUpdate[] {
    const updates = this.#open;
    this.#open = [];
    this.#openBytes = 0;
    this.#openMessages = 0;
    this.#closing.resolve();
    this.#closing = Promise.withResolvers();
    return updates;
  }

  async #commitGroup(updates: readonly RanUpdate[]): Promise<void> {
    let undecided = updates;
    try {
      const group = this.#apply(updates);
      const { applied, updates: good, failed } = group instanceof Promise ? await group : group;
      undecided = good;
      const before = this.#head;
      const first = good.findIndex(({ changes, sent }) => changes !== undefined || sent.length > 0);
      const commit = first === -1 ? undefined : this.#commitOf(before, applied.root, good.slice(first));
      const written = this.#write(before, applied, commit, good);
      if (failed === undefined) {
        this.#changes = foldUpdates(this.#open);
      } else {
        // The promise is awaited below; here nobody waits for it yet.
        written.catch(() => {});
        failed.update.done.reject(failed.error);
        this.#undo(failed.after, undone(this.#init.service, failed.error));
      }
      for (const [i, at] of (await written).entries()) good[i]!.done.resolve(at);
    } catch (error) {
      this.#head = this.#committed;
      this.#undo(undecided, error);
    }
  }

  /** The group's root. Nothing else happens in between when all that it takes is in memory. */
  #apply(updates: readonly RanUpdate[]): AppliedGroup | Promise<AppliedGroup> {
    const { root } = this.#head;
    const changes = this.#changes;
    if (changes === undefined) return { applied: unchanged(root), updates, failed: undefined };
    const { blocks } = this.#init;
    const longest = (error: unknown): Promise<AppliedGroup> => {
      if (!(error instanceof DirectoryError)) throw error;
      return applyLongest(blocks, root, updates);
    };
    try {
      const applied = applyGroup(blocks, root, changes);
      if (!(applied instanceof Promise)) return { applied, updates, failed: undefined };
      // Updates go on meanwhile, and write on a tree of their own.
      this.#changes = foldUpdates(updates);
      return applied.then((late) => ({ applied: late, updates, failed: undefined }), longest);
    } catch (error) {
      this.#changes = foldUpdates(updates);
      return longest(error);
    }
  }

  #commitOf(before: Head, after: Key, updates: readonly RanUpdate[]): Commit {
    const sent = updates.flatMap((update) => update.sent.map(({ message }) => messageHash(message)));
    return {
      service: this.#init.service,
      previous: before.commit,
      before: cidOfKey(before.root),
      after: cidOfKey(after),
      tasks: updates.map(({ task }) => task),
      timeMs: Date.now(),
      ...(sent.length === 0 ? {} : { sent: messagesRoot(sent) }),
    };
  }

  /** Makes the new head at once, and the committed one when it is durable. The commit holds the last of the updates. */
  async #write(
    before: Head,
    { root, made }: AppliedGroup['applied'],
    commit: Commit | undefined,
    updates: readonly RanUpdate[],
  ): Promise<UpdatedAt[]> {
    const { id, service, blocks, queue, appliedTasks, outbox } = this.#init;
    const bytes = commit && encodeCommit(commit);
    const cid = bytes && dagCborCid(bytes);
    const commitKey = cid && keyOfCid(cid);
    if (bytes !== undefined) made.blocks.set(commitKey!, bytes);
    const head: Head = { root, commit: cid ?? before.commit, sequence: before.sequence + (cid === undefined ? 0 : 1) };
    this.#head = head;
    const outside = updates.length - (commit?.tasks.length ?? 0);
    const at = updates.map((_, i) => ({ before: cidOfKey(before.root), commit: i < outside ? undefined : cid }));
    for (const update of updates.slice(outside)) {
      for (const [own, block] of update.blocks ?? []) made.blocks.set(keyOfCid(own), block);
    }
    const timeMs = Date.now();
    const { sequence } = head;
    const states = cid === undefined ? [] : [{ id, service, root, commit: commitKey, sequence }];
    const sent = updates.flatMap((update) => update.sent);
    const delivered = updates.flatMap(({ delivery }, i): DeliveredRow[] => {
      if (delivery === undefined) return [];
      const { key, expiresMs } = delivery;
      return [{ state: id, message: keyOfCid(key), commit: i < outside ? undefined : commitKey, expiresMs }];
    });
    let applied: AppliedRow[];
    blocks.add(made);
    try {
      const answers = await Promise.all(updates.map(({ answer }, i) => answer?.(at[i]!)));
      applied = updates.map(({ task }, i) => {
        const answer = answers[i];
        const kept = answer !== undefined && appliedTasks.reserve(answer.length) ? answer : undefined;
        return { state: id, task: keyOfCid(task), commit: i < outside ? undefined : commitKey, timeMs, answer: kept };
      });
      await queue.submit({ states, applied, blocks: made.blocks, delivered, sent });
    } finally {
      blocks.release(made.blocks.keys());
    }
    this.#committed = head;
    // Updates that run ahead may still look at the root before.
    blocks.forget(this.#replaced);
    this.#replaced = made.replaced;
    for (const [i, row] of applied.entries()) appliedTasks.add(row, at[i]!.commit);
    outbox.written(service, sent);
    if (cid !== undefined) this.#init.onCommit();
    return at;
  }

  /** Of updates that ran on what is not going to be: these, and all that ran after them. */
  #undo(updates: readonly RanUpdate[], error: unknown): void {
    this.#undoneCount += 1;
    this.#version += 1;
    this.#changes = undefined;
    for (const { done } of [...updates, ...this.#close()]) done.reject(error);
  }
}

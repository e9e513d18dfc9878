import type { CID } from 'multiformats/cid';
import type { StateView } from '../../sandbox/index.ts';
import { cidOfKey, keyOfCid, type Key } from '../../store/index.ts';
import { Committer, type CommitterInit, type Head } from './committer.ts';
import { DeliveredMessages } from './delivered-messages.ts';
import { alreadyApplied, alreadyDelivered, closed, StateError } from './errors.ts';
import { checkChanges, undone, type RanUpdate } from './group.ts';
import { commitsFrom } from './history.ts';
import { LookAhead } from './look-ahead.ts';
import { RecordedView } from './recorded-view.ts';
import { verifyState } from './verify-state.ts';
import type { AppliedTask, HistoryCommit, ServiceState, UpdatedAt, UpdateOptions, UpdateResult } from './types.ts';
import { TreeView } from './view.ts';

export interface StateOfServiceInit extends Omit<CommitterInit, 'onCommit' | 'moreCome'> {
  deliveredMessages: DeliveredMessages;
  onError: (error: unknown) => void;
}

interface Turn {
  run: () => Promise<void>;
  refuse: (error: unknown) => void;
  /** Of an update: runs it before its turn. */
  runAhead?: () => void;
}

type Run = (view: StateView) => Promise<UpdateResult>;

/** An update that ran, or is running, on what may not be what it has to see. */
interface Attempt {
  view: RecordedView;
  version: number;
  result: Promise<UpdateResult>;
}

export class StateOfService implements ServiceState {
  readonly service: string;
  readonly #init: StateOfServiceInit;
  readonly #committer: Committer;
  readonly #turns: Turn[] = [];
  #taking: Promise<void> | undefined;
  readonly #underWay = new Map<Key, Promise<unknown>>();
  readonly #listeners = new Set<() => void>();
  /** What runs ahead of its turn. */
  readonly #attempts = new Set<Promise<unknown>>();
  readonly #lookAhead = new LookAhead();
  #root: { key: Key; cid: CID };
  #isClosed = false;

  constructor(init: StateOfServiceInit, head: Head) {
    this.service = init.service;
    this.#init = init;
    this.#committer = new Committer(
      { ...init, onCommit: () => this.#tellListeners(), moreCome: () => this.#turns.length > 0 },
      head,
    );
    const { root } = this.#committer.committed;
    this.#root = { key: root, cid: cidOfKey(root) };
  }

  get root(): CID {
    const key = this.#committer.committed.root;
    if (this.#root.key !== key) this.#root = { key, cid: cidOfKey(key) };
    return this.#root.cid;
  }

  get commit(): CID | undefined {
    return this.#committer.committed.commit;
  }

  get commits(): number {
    return this.#committer.committed.sequence - 1;
  }

  view(root?: CID): StateView {
    const key = root === undefined ? this.#committer.committed.root : keyOfCid(root);
    return new TreeView(this.#init.blocks, key, { remembers: true });
  }

  async update(
    task: CID,
    run: (view: StateView) => Promise<UpdateResult>,
    options: UpdateOptions = {},
  ): Promise<UpdatedAt> {
    const { delivery } = options;
    // A message names every task that brings it.
    const key = keyOfCid(delivery?.key ?? task);
    // The same at the same time: whoever comes second is told what became of the first.
    for (let same = this.#underWay.get(key); same !== undefined; same = this.#underWay.get(key)) {
      await same.catch(() => {});
    }
    const applied = this.applied(task);
    if (applied !== undefined) throw alreadyApplied(task, applied.commit);
    const delivered = delivery && this.#init.deliveredMessages.get(this.#init.id, delivery.key);
    if (delivered !== undefined) throw alreadyDelivered(delivery!.key, delivered.commit);
    const done: RanUpdate['done'] = Promise.withResolvers();
    this.#underWay.set(key, done.promise);
    try {
      let ahead: Attempt | undefined;
      this.#enqueue({
        run: () => this.#runUpdate(task, run, ahead, done, options),
        refuse: done.reject,
        runAhead: () => (ahead ??= this.#attempt(run)),
      });
    } catch (error) {
      done.reject(error);
    }
    try {
      return await done.promise;
    } finally {
      this.#underWay.delete(key);
    }
  }

  applied(task: CID): AppliedTask | undefined {
    return this.#init.appliedTasks.get(this.#init.id, task);
  }

  history({ from = this.commit, signal }: { from?: CID | undefined; signal?: AbortSignal | undefined } = {}) {
    return commitsFrom(this.#init.blocks, this.service, from, signal);
  }

  async rollback(to: CID, { signal }: { signal?: AbortSignal } = {}): Promise<HistoryCommit> {
    const done = Promise.withResolvers<HistoryCommit>();
    const run = async (): Promise<void> => {
      await this.#committer.idle();
      signal?.throwIfAborted();
      const after = await this.#rootOf(to, signal);
      done.resolve(await this.#committer.commitRoot(after));
    };
    this.#enqueue({ run, refuse: done.reject });
    return done.promise;
  }

  changed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends what is under way, and refuses what waits. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { refuse } of this.#turns.splice(0)) refuse(closed(this.service));
    await this.#taking;
    await Promise.allSettled(this.#attempts);
    await this.#committer.idle();
  }

  #enqueue(turn: Turn): void {
    if (this.#isClosed) throw closed(this.service);
    if (this.#turns.length >= this.#init.limits.queueMax) {
      const message = `${this.#turns.length} updates of ${this.service} wait already. Ask again in a moment.`;
      throw new StateError('STATE_BUSY', message);
    }
    this.#turns.push(turn);
    this.#taking ??= this.#takeTurns();
  }

  async #takeTurns(): Promise<void> {
    for (let turn = this.#turns.shift(); turn !== undefined; turn = this.#turns.shift()) {
      await turn.run().catch(turn.refuse);
    }
    // In the turn in which nothing more was found, so that nothing is added in between.
    this.#taking = undefined;
  }

  async #runUpdate(
    task: CID,
    run: Run,
    ahead: Attempt | undefined,
    done: RanUpdate['done'],
    { signal, delivery }: UpdateOptions,
  ): Promise<void> {
    const { outbox, id } = this.#init;
    await this.#committer.room();
    signal?.throwIfAborted();
    const attempt = ahead ?? this.#attempt(run);
    if (ahead === undefined) this.#lookAhead.turn(undefined);
    const others = Math.min(this.#turns.length, this.#lookAhead.width - 1);
    for (let i = 0; i < others && this.#turns[i]!.runAhead !== undefined; i++) this.#turns[i]!.runAhead!();
    const { undoneCount } = this.#committer;
    const {
      changes,
      messages,
      isTaken = true,
      blocks,
      answer,
    } = await (ahead === undefined ? attempt.result : this.#resultOf(run, ahead));
    if (this.#committer.undoneCount !== undoneCount) throw undone(this.service);
    if (changes !== undefined) checkChanges(changes);
    const sent = messages === undefined ? [] : outbox.reserve(id, this.service, messages);
    if (sent.length > 0) done.promise.catch(() => outbox.release(sent));
    this.#committer.add({ task, changes, sent, blocks, answer, done, delivery: isTaken ? delivery : undefined });
  }

  #attempt(run: Run): Attempt {
    const view = new RecordedView(this.#committer.view());
    const result = run(view);
    // Nobody may come for it.
    result.catch(() => {});
    this.#attempts.add(result);
    const ended = (): boolean => this.#attempts.delete(result);
    result.then(ended, ended);
    return { view, version: this.#committer.version, result };
  }

  /** What the update does in its turn: what it did ahead of it, if it would see the same now. */
  async #resultOf(run: Run, ahead: Attempt): Promise<UpdateResult> {
    const [ended] = await Promise.allSettled([ahead.result]);
    const holds = ahead.version === this.#committer.version || ahead.view.holdsIn(this.#committer.view());
    this.#lookAhead.turn(holds);
    return holds && ended.status === 'fulfilled' ? ended.value : run(this.#committer.view());
  }

  /** The root after a commit of this history, with all its files there. */
  async #rootOf(to: CID, signal: AbortSignal | undefined): Promise<Key> {
    for await (const { cid, commit } of this.history(signal === undefined ? {} : { signal })) {
      if (!cid.equals(to)) continue;
      const root = keyOfCid(commit.after);
      await verifyState(root, this.#init.blocks, this.#init.limits, signal);
      return root;
    }
    throw new StateError('UNKNOWN_COMMIT', `${to} is not a commit in the history of ${this.service}.`);
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        this.#init.onError(error);
      }
    }
  }
}

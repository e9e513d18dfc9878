import type { CID } from 'multiformats/cid';
import type { Commit } from '../../../sdk/protocol/commit.ts';
import type { ServiceMessage } from '../../../sdk/protocol/message.ts';
import type { StateChanges, StateView } from '../../sandbox/index.ts';
import type { Outbox } from './outbox.ts';

/** The states of all services of a provider. */
export interface States {
  /**
   * The state of a service, empty when there is none yet. With `init.commit` a new one starts from that commit's `after`,
   * which is fetched as a whole and checked before it is used; one that exists stays what it is.
   *
   * @throws StateError IMPORT_REFUSED, STATE_CLOSED; DirectoryError DIRECTORY_MALFORMED; StoreError; why a block cannot be had
   */
  open(service: string, init?: { commit?: CID; signal?: AbortSignal }): Promise<ServiceState>;
  /** Names of the services that have a state. */
  services(): string[];
  /** What services have sent. */
  readonly outbox: Outbox;
  /** Newest roots and commits of all services. */
  heads(): CID[];
  /** Ends updates under way, refuses those that wait, and lets go of the database's second connection. */
  close(): Promise<void>;
}

/** Where an update stands: the root of its commit's `before`, and the commit that holds it. */
export interface UpdatedAt {
  before: CID;
  commit: CID | undefined;
}

export interface UpdateResult {
  changes?: StateChanges | undefined;
  /** Of an update that takes a message: false when it failed, so that the message is not known here. */
  isTaken?: boolean | undefined;
  /** Messages that leave with the commit. */
  messages?: readonly ServiceMessage[] | undefined;
  /** What whoever replays the commit needs besides the state: as durable as the commit, and served like its blocks. */
  blocks?: ReadonlyMap<CID, Uint8Array> | undefined;
  /** Made when the commit is known, durable together with it, and kept for whoever sends the task again. */
  answer?: ((at: UpdatedAt) => Promise<Uint8Array>) | undefined;
}

export interface UpdateOptions {
  signal?: AbortSignal | undefined;
  /** Of an update that takes a message: by its key the message is taken once, whatever task brings it, until it has expired. */
  delivery?: { key: CID; expiresMs: number } | undefined;
}

export interface AppliedTask {
  commit: CID | undefined;
  /** Applied by an earlier process: a crash may have come between the commit and what was to follow it. */
  isEarlier: boolean;
  /** Undefined when there was none, or it was too long, or too many are kept. */
  answer: Uint8Array | undefined;
}

export interface HistoryCommit {
  cid: CID;
  commit: Commit;
}

export interface ServiceState {
  readonly service: string;
  /** What is committed and durable. */
  readonly root: CID;
  readonly commit: CID | undefined;
  /** How many commits were made here: those that an imported state brought are not counted. */
  readonly commits: number;
  /** The files at a root, by default the committed one. */
  view(root?: CID): StateView;
  /**
   * Runs an update after those before it and resolves when it is durable. `run` must be a function of what it sees in the
   * view: it may be run ahead of its turn, and again in its turn when it would see something else then. The last run
   * counts, and that one has seen all updates before it. What it throws changes nothing and is thrown.
   *
   * @throws StateError ALREADY_APPLIED, STATE_BUSY, STATE_CLOSED, UPDATE_UNDONE, OUTBOX_FULL; DirectoryError; StoreError when the disk
   * refuses: then nothing of the commit was applied.
   */
  update(task: CID, run: (view: StateView) => Promise<UpdateResult>, options?: UpdateOptions): Promise<UpdatedAt>;
  /** A task that was applied in the last minutes; see STATE_LIMITS.appliedKeepMs. */
  applied(task: CID): AppliedTask | undefined;
  /** Newest first. */
  history(options?: { from?: CID | undefined; signal?: AbortSignal | undefined }): AsyncIterable<HistoryCommit>;
  /**
   * A new commit without tasks, whose `after` is that of the commit `to` of this history.
   * @throws StateError UNKNOWN_COMMIT
   */
  rollback(to: CID, options?: { signal?: AbortSignal }): Promise<HistoryCommit>;
  /** Called after every commit; the answer ends it. */
  changed(listener: () => void): () => void;
}

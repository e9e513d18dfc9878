import { extname } from 'node:path';
import type { CID } from 'multiformats/cid';
import { SERVICE_BYTES_MAX } from '../../../sdk/protocol/index.ts';
import {
  cidOfKey,
  emptyRoot,
  keyOfCid,
  migrate,
  openWriteTarget,
  type Database,
  type FastBlockstore,
  type GetBlock,
  type Key,
} from '../../store/index.ts';
import { AppliedTasks } from './applied-tasks.ts';
import type { Batch } from './batch.ts';
import { BatchQueue } from './batch-queue.ts';
import { StateBlocks } from './blocks.ts';
import type { Head } from './committer.ts';
import { closed, StateError } from './errors.ts';
import { DeliveredMessages } from './delivered-messages.ts';
import { loadCommit } from './history.ts';
import { STATE_LIMITS, type StateLimits } from './limits.ts';
import { Outbox } from './outbox.ts';
import { stateSchema } from './schema.ts';
import { StateOfService } from './service-state.ts';
import { StoredBlocks } from './stored-blocks.ts';
import type { ServiceState, States } from './types.ts';
import { verifyState } from './verify-state.ts';

export interface StatesInit {
  /** A file of its own, best: its commits wait for no others. The caller closes it, after the states. */
  database: Database;
  /** Answers with the blocks of states as well, and keeps those that are imported. */
  blockstore: FastBlockstore;
  /** The block store has a new block, of this `blockKey`: peers may wait for it. */
  onStored?: (key: string, bytes: Uint8Array) => void;
  /** Fetches blocks of imported states. */
  getBlock: GetBlock;
  limits?: Partial<StateLimits>;
  /** The disk refuses what nobody waits for; it is tried again. */
  onError?: (error: unknown) => void;
}

const PRUNE_INTERVAL_MS = 60_000;

/** @throws StoreError */
export function openStates(init: StatesInit): States {
  migrate(init.database, stateSchema);
  return new StatesOfProvider(init);
}

class StatesOfProvider implements States {
  readonly #init: StatesInit;
  readonly #limits: StateLimits;
  readonly #blocks: StateBlocks;
  readonly #queue: BatchQueue;
  readonly #leave: () => void;
  readonly #appliedTasks: AppliedTasks;
  readonly #deliveredMessages: DeliveredMessages;
  readonly outbox: Outbox;
  readonly #onError: (error: unknown) => void;
  readonly #opened = new Map<string, Promise<StateOfService>>();
  readonly #pruneTimer: NodeJS.Timeout;
  #nextId: number;
  #prunedMs = 0;
  #isClosed = false;

  constructor(init: StatesInit) {
    const { database, blockstore, getBlock } = init;
    this.#init = init;
    this.#limits = { ...STATE_LIMITS, ...init.limits };
    this.#onError = init.onError ?? (() => {});
    this.#leave = blockstore.join(new StoredBlocks(database));
    this.#blocks = new StateBlocks({ blockstore, getBlock, limits: this.#limits });
    this.#appliedTasks = new AppliedTasks(database, this.#limits);
    this.#nextId = 1 + Number(database.sqlite.prepare('SELECT max(id) AS id FROM states').get()?.['id'] ?? 0);
    const writer = new URL(`./writer${extname(import.meta.filename)}`, import.meta.url);
    this.#queue = new BatchQueue(openWriteTarget(database, writer), {
      before: (batch) => this.#addMaintenance(batch),
      written: ({ blocks }) => {
        if (init.onStored !== undefined) for (const [key, bytes] of blocks) init.onStored(key.slice(2), bytes);
      },
    });
    this.#deliveredMessages = new DeliveredMessages(database);
    this.outbox = new Outbox(database, this.#queue, this.#limits);
    // What is over is deleted with the next commit, or by this when there is none.
    this.#pruneTimer = setInterval(() => this.#prune(), PRUNE_INTERVAL_MS).unref();
  }

  open(service: string, { commit, signal }: { commit?: CID; signal?: AbortSignal } = {}): Promise<ServiceState> {
    if (this.#isClosed) return Promise.reject(closed(service));
    let opening = this.#opened.get(service);
    if (opening === undefined) {
      opening = this.#open(service, commit, signal);
      this.#opened.set(service, opening);
      opening.catch(() => this.#opened.delete(service));
    }
    return opening;
  }

  services(): string[] {
    const rows = this.#init.database.sqlite.prepare('SELECT service FROM states ORDER BY id').all();
    return rows.map((row) => String(row['service']));
  }

  heads(): CID[] {
    const rows = this.#init.database.sqlite.prepare('SELECT root, commit_cid FROM states').all();
    return rows.flatMap(({ root, commit_cid: commit }) =>
      [root, commit].flatMap((bytes) => (bytes instanceof Uint8Array ? [cidOfKey(toKey(bytes))] : [])),
    );
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#pruneTimer);
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(opened.map((result) => (result.status === 'fulfilled' ? result.value.close() : undefined)));
    await this.#queue.close();
    this.#leave();
  }

  async #open(service: string, commit: CID | undefined, signal: AbortSignal | undefined): Promise<StateOfService> {
    const found = this.#find(service);
    if (found !== undefined) return this.#stateOf(service, found.id, found.head);
    if (service === '' || Buffer.byteLength(service) > SERVICE_BYTES_MAX) {
      throw new StateError('IMPORT_REFUSED', `A service's name has 1 to ${SERVICE_BYTES_MAX} bytes.`);
    }
    const id = this.#nextId++;
    const blocks = new Map<Key, Uint8Array>();
    const root = commit === undefined ? makeEmpty(blocks) : await this.#import(service, commit, blocks, signal);
    const commitKey = commit && keyOfCid(commit);
    const states = [{ id, service, root, commit: commitKey, sequence: 1 }];
    await this.#queue.submit({ states, applied: [], blocks });
    return this.#stateOf(service, id, { root, commit, sequence: 1 });
  }

  #find(service: string): { id: number; head: Head } | undefined {
    const row = this.#init.database.sqlite
      .prepare('SELECT id, root, commit_cid, sequence FROM states WHERE service = ?')
      .get(service);
    if (row === undefined) return undefined;
    const commit = row['commit_cid'] as Uint8Array | null;
    const head: Head = {
      root: toKey(row['root'] as Uint8Array),
      commit: commit === null ? undefined : cidOfKey(toKey(commit)),
      sequence: Number(row['sequence']),
    };
    return { id: Number(row['id']), head };
  }

  #stateOf(service: string, id: number, head: Head): StateOfService {
    const init = {
      id,
      service,
      blocks: this.#blocks,
      queue: this.#queue,
      appliedTasks: this.#appliedTasks,
      deliveredMessages: this.#deliveredMessages,
      outbox: this.outbox,
      limits: this.#limits,
      onError: this.#onError,
    };
    return new StateOfService(init, head);
  }

  /** The root that a commit leads to, with all its blocks in the block store. */
  async #import(service: string, cid: CID, own: Map<Key, Uint8Array>, signal: AbortSignal | undefined): Promise<Key> {
    const { commit } = await loadCommit(this.#blocks, service, cid, signal);
    const root = keyOfCid(commit.after);
    const { blockstore } = this.#init;
    await verifyState(root, this.#blocks, this.#limits, signal, (key, bytes) => blockstore.put(cidOfKey(key), bytes));
    const key = keyOfCid(cid);
    own.set(key, await this.#blocks.loadBytes(key, signal));
    return root;
  }

  #addMaintenance(batch: Batch): void {
    const nowMs = Date.now();
    if (nowMs - this.#prunedMs < PRUNE_INTERVAL_MS) return;
    this.#prunedMs = nowMs;
    batch.deliveredBeforeMs = nowMs;
    batch.appliedBeforeMs = nowMs - this.#limits.appliedKeepMs;
  }

  #prune(): void {
    this.#queue.submit({ states: [], applied: [], blocks: new Map() }).catch(this.#onError);
  }
}

function makeEmpty(blocks: Map<Key, Uint8Array>): Key {
  const { root, made } = emptyRoot();
  for (const [key, bytes] of made.blocks) blocks.set(key, bytes);
  return root;
}

function toKey(bytes: Uint8Array): Key {
  return Buffer.from(bytes).toString('latin1');
}

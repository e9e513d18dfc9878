import type { Key } from './keys.ts';
import type { DirectoryNode, Node } from './nodes.ts';
import type { SortedLinks } from './sorted-links.ts';

/** Where nodes come from. What is in memory is answered at once. */
export interface NodeStore {
  peek(key: Key): Node | undefined;
  load(key: Key, signal: AbortSignal | undefined): Promise<Node>;
  /** All entries of the sharded directory of this key in order, when somebody has put them in order before. */
  listing(key: Key): SortedLinks | undefined;
  keepListing(key: Key, listing: SortedLinks): void;
}

/** Thrown, and not an Error, since it is how a computation says what it needs: a stack would cost more than the work. */
export class Missing {
  readonly keys: Set<Key>;

  constructor(keys: Iterable<Key>) {
    this.keys = new Set(keys);
  }
}

/** The nodes of one computation: those that it had to wait for stay until it is done, whatever caches do. */
export class Nodes {
  readonly store: NodeStore;
  readonly #held: readonly ReadonlyMap<Key, Node>[];

  constructor(store: NodeStore, ...held: readonly ReadonlyMap<Key, Node>[]) {
    this.store = store;
    this.#held = held;
  }

  /** These, and nodes that are not stored yet. */
  with(made: ReadonlyMap<Key, Node>): Nodes {
    return new Nodes(this.store, made, ...this.#held);
  }

  peek(key: Key): Node | undefined {
    for (const held of this.#held) {
      const node = held.get(key);
      if (node !== undefined) return node;
    }
    return this.store.peek(key);
  }

  /** @throws Missing */
  get(key: Key): Node {
    const node = this.peek(key);
    if (node === undefined) throw new Missing([key]);
    return node;
  }

  /** The directory of this key; undefined when it is a file. */
  directory(key: Key): DirectoryNode | undefined {
    const node = this.get(key);
    return node.type === 'file' ? undefined : node;
  }
}

/** Runs `step` for each; what all of them miss is asked for at once. */
export function forEachLoaded<T>(items: Iterable<T>, step: (item: T) => void): void {
  let missing: Missing | undefined;
  for (const item of items) {
    try {
      step(item);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      missing ??= new Missing([]);
      for (const key of error.keys) missing.keys.add(key);
    }
  }
  if (missing !== undefined) throw missing;
}

/** Nodes under way at once. */
const PARALLEL = 32;

/**
 * Runs a computation that takes nodes as if all were in memory: it is answered without a promise when they are, and run
 * anew when what it missed has come.
 */
export function whenLoaded<T>(
  store: NodeStore,
  work: (nodes: Nodes) => T,
  signal: AbortSignal | undefined,
): T | Promise<T> {
  try {
    return work(new Nodes(store));
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return afterLoading(store, work, error, signal);
  }
}

async function afterLoading<T>(
  store: NodeStore,
  work: (nodes: Nodes) => T,
  first: Missing,
  signal: AbortSignal | undefined,
): Promise<T> {
  const held = new Map<Key, Node>();
  // Ends because every turn holds more nodes, and a DAG has no cycles.
  for (let missing = first; ;) {
    const rest = missing.keys.values();
    const loadRest = async (): Promise<void> => {
      for (const key of rest) held.set(key, await store.load(key, signal));
    };
    await Promise.all(Array.from({ length: PARALLEL }, loadRest));
    try {
      return work(new Nodes(store, held));
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      missing = error;
    }
  }
}

import { NotFoundError, type AbortOptions } from '@libp2p/interface';
import { BaseDatastore } from 'datastore-core/base';
import { Key, type KeyQuery, type Pair, type Query } from 'interface-datastore';

/** What a record costs besides its key and its value: map entries and objects. */
const OVERHEAD_BYTES = 256;

interface Branch {
  branches: Map<string, Branch>;
  value?: Uint8Array;
}

export interface BoundedDatastoreInit {
  /** Keys, values and what holds them. */
  bytesMax: number;
  /** Records directly under one key; the oldest gives way. */
  siblingsMax?: number;
  /** Records that never give way and do not count: our own. */
  keep?: (key: string) => boolean;
}

/**
 * A datastore in memory for what strangers make libp2p remember. Its own has no limit, and looks at every record to find
 * those under one key: both would let anyone slow us down for the price of small messages. Here the oldest records give
 * way, and a query walks down to its prefix, which must end where a part of a key ends.
 */
export class BoundedDatastore extends BaseDatastore {
  readonly #init: BoundedDatastoreInit;
  readonly #root: Branch = { branches: new Map() };
  /** What may give way with what it costs, oldest first. */
  readonly #ages = new Map<string, number>();
  #bytes = 0;

  constructor(init: BoundedDatastoreInit) {
    super();
    this.#init = init;
  }

  get bytes(): number {
    return this.#bytes;
  }

  override put(key: Key, value: Uint8Array): Key {
    const name = key.toString();
    this.#remove(name);
    const path = split(name);
    let branch = this.#root;
    let parent = branch;
    for (const part of path) {
      parent = branch;
      branch = parent.branches.get(part) ?? { branches: new Map() };
      parent.branches.set(part, branch);
    }
    branch.value = value;
    if (this.#init.keep?.(name) === true) return key;
    const cost = name.length + value.length + OVERHEAD_BYTES;
    this.#ages.set(name, cost);
    this.#bytes += cost;
    if (parent.branches.size > (this.#init.siblingsMax ?? Infinity)) this.#removeOldestUnder(parent, path);
    while (this.#bytes > this.#init.bytesMax) this.#remove(this.#ages.keys().next().value as string);
    return key;
  }

  override get(key: Key): Uint8Array {
    const value = this.#find(key.toString())?.value;
    if (value === undefined) throw new NotFoundError(`There is no record ${key.toString()}`);
    return value;
  }

  override has(key: Key): boolean {
    return this.#find(key.toString())?.value !== undefined;
  }

  override delete(key: Key): void {
    this.#remove(key.toString());
  }

  override *_all(query: Query, options?: AbortOptions): Generator<Pair> {
    const prefix = split(query.prefix ?? '');
    const branch = this.#find(prefix.join('/'));
    // A list, because records may come and go while the caller takes its time.
    const pairs = branch === undefined ? [] : [...walk(branch, prefix)];
    for (const pair of pairs) {
      options?.signal?.throwIfAborted();
      yield pair;
    }
  }

  override *_allKeys(query: KeyQuery, options?: AbortOptions): Generator<Key> {
    const { prefix } = query;
    for (const { key } of this._all(prefix === undefined ? {} : { prefix }, options)) yield key;
  }

  #find(name: string): Branch | undefined {
    let branch: Branch | undefined = this.#root;
    for (const part of split(name)) branch = branch?.branches.get(part);
    return branch;
  }

  #removeOldestUnder(parent: Branch, path: string[]): void {
    for (const last of parent.branches.keys()) {
      const name = `/${[...path.slice(0, -1), last].join('/')}`;
      if (this.#ages.has(name)) return this.#remove(name);
    }
  }

  #remove(name: string): void {
    this.#bytes -= this.#ages.get(name) ?? 0;
    this.#ages.delete(name);
    prune(this.#root, split(name), 0);
  }
}

function split(name: string): string[] {
  return name.split('/').filter((part) => part !== '');
}

function* walk(branch: Branch, path: string[]): Generator<Pair> {
  if (branch.value !== undefined) yield { key: new Key(`/${path.join('/')}`, false), value: branch.value };
  for (const [part, child] of branch.branches) yield* walk(child, [...path, part]);
}

/** Removes the value at the path, and the branches that hold nothing after that. */
function prune(branch: Branch, path: string[], depth: number): void {
  const part = path[depth];
  if (part === undefined) {
    delete branch.value;
    return;
  }
  const child = branch.branches.get(part);
  if (child === undefined) return;
  prune(child, path, depth + 1);
  if (child.value === undefined && child.branches.size === 0) branch.branches.delete(part);
}

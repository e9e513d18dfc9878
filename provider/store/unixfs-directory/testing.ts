import { applyChanges, emptyRoot, type Applied } from './apply.ts';
import { ChangedDirectory } from './changes.ts';
import { keyOfCid, cidOfKey, type Key } from './keys.ts';
import { whenLoaded, type NodeStore } from './loading.ts';
import { decode, type Node } from './nodes.ts';
import type { SortedLinks } from './sorted-links.ts';

export interface Changes {
  removed?: readonly string[];
  written?: Readonly<Record<string, Uint8Array>>;
}

/** Blocks in memory, decoded anew at every look with `isForgetful`: nothing then lives on in a cache. */
export class TestNodes implements NodeStore {
  readonly blocks = new Map<Key, Uint8Array>();
  readonly #listings = new Map<Key, SortedLinks>();
  readonly isForgetful: boolean;
  loads = 0;

  constructor(isForgetful = false) {
    this.isForgetful = isForgetful;
  }

  peek(key: Key): Node | undefined {
    return this.isForgetful ? undefined : this.#decode(key);
  }

  async load(key: Key): Promise<Node> {
    this.loads += 1;
    return this.#decode(key);
  }

  listing(key: Key): SortedLinks | undefined {
    return this.isForgetful ? undefined : this.#listings.get(key);
  }

  keepListing(key: Key, listing: SortedLinks): void {
    this.#listings.set(key, listing);
  }

  add({ root, made }: Applied): Key {
    for (const [key, bytes] of made.blocks) this.blocks.set(key, bytes);
    for (const [key, listing] of made.listings) this.#listings.set(key, listing);
    return root;
  }

  empty(): Key {
    return this.add(emptyRoot());
  }

  async change(root: Key, changes: Changes): Promise<Key> {
    const tree = toTree(changes);
    return this.add(await whenLoaded(this, (nodes) => applyChanges(nodes, root, tree), undefined));
  }

  /** What an IPFS library needs to read them. */
  get blockstore() {
    return {
      get: async function* get(this: { blocks: Map<Key, Uint8Array> }, cid: Parameters<typeof keyOfCid>[0]) {
        const bytes = this.blocks.get(keyOfCid(cid));
        if (bytes === undefined) throw new Error(`${cid} is missing`);
        yield bytes;
      }.bind(this),
    };
  }

  #decode(key: Key): Node {
    const bytes = this.blocks.get(key);
    if (bytes === undefined) throw new Error(`${cidOfKey(key)} is missing`);
    return decode(key, bytes);
  }
}

export function toTree({ removed = [], written = {} }: Changes, tree = new ChangedDirectory()): ChangedDirectory {
  for (const path of removed) tree.remove(path);
  for (const [path, bytes] of Object.entries(written)) tree.write(path, bytes);
  return tree;
}

/** The files themselves, as changes are meant to work on them. */
export function changeFiles(files: Map<string, Uint8Array>, { removed = [], written = {} }: Changes): void {
  for (const path of removed) {
    for (const file of files.keys()) if (file === path || file.startsWith(`${path}/`)) files.delete(file);
  }
  for (const [path, bytes] of Object.entries(written)) {
    for (const file of files.keys()) {
      if (path.startsWith(`${file}/`) || file.startsWith(`${path}/`)) files.delete(file);
    }
    files.set(path, bytes);
  }
}

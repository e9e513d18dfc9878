import { ChangedDirectory, ChangedFile, REMOVED } from './changes.ts';
import { findEntry, updateDirectory } from './directory.ts';
import { isRawKey, type Key } from './keys.ts';
import { forEachLoaded, type Nodes } from './loading.ts';
import { NewNodes } from './new-nodes.ts';
import type { DirectoryNode, Link } from './nodes.ts';

/** A root directory that has no files. */
const EMPTY: DirectoryNode = { type: 'basic', links: [] };

export interface Applied {
  root: Key;
  made: NewNodes;
}

/**
 * The root of a directory after changes. It is a function of the files alone, and what an importer of the same profile
 * makes of them.
 *
 * @throws Missing, DirectoryError DIRECTORY_TOO_DEEP, FILE_TOO_LARGE
 */
export function applyChanges(nodes: Nodes, root: Key, changes: ChangedDirectory): Applied {
  const made = new NewNodes();
  const before = nodes.directory(root);
  const after = new Application(nodes, made).apply(root, before, changes) ?? EMPTY;
  if (after !== before) made.replaced.push(root);
  return { root: after === before ? root : made.add(after, before).key, made };
}

export function emptyRoot(): Applied {
  const made = new NewNodes();
  return { root: made.add(EMPTY).key, made };
}

class Application {
  readonly #nodes: Nodes;
  readonly #made: NewNodes;

  constructor(nodes: Nodes, made: NewNodes) {
    this.#nodes = nodes;
    this.#made = made;
  }

  apply(key: Key | undefined, before: DirectoryNode | undefined, change: ChangedDirectory): DirectoryNode | undefined {
    const links = new Map<string, Link | undefined>();
    forEachLoaded(change.children, ([name, child]) => {
      const old = before && findEntry(this.#nodes, before, name);
      if (child === REMOVED) {
        if (old !== undefined) links.set(name, undefined);
      } else if (child instanceof ChangedFile) {
        this.#setFile(links, name, child, old);
      } else {
        this.#setDirectory(links, name, child, old);
      }
    });
    const after = updateDirectory(this.#nodes, this.#made, before, links);
    if (after?.type === 'shard' && before?.type === 'shard' && key !== undefined)
      this.#deriveListing(key, before, after, links);
    return after;
  }

  #setFile(links: Map<string, Link | undefined>, name: string, file: ChangedFile, old: Link | undefined): void {
    const { key, tsize, blocks, node } = file.encoded;
    if (old?.key === key) return;
    for (const [own, bytes] of blocks) this.#made.blocks.set(own, bytes);
    if (node !== undefined) this.#made.nodes.set(key, node);
    links.set(name, { name, key, tsize });
  }

  #setDirectory(
    links: Map<string, Link | undefined>,
    name: string,
    change: ChangedDirectory,
    old: Link | undefined,
  ): void {
    const before = old === undefined || isRawKey(old.key) ? undefined : this.#nodes.directory(old.key);
    const base = change.replaces ? undefined : before;
    const after = this.apply(base && old?.key, base, change);
    if (old !== undefined && before !== undefined && after !== before) this.#made.replaced.push(old.key);
    if (after === undefined) {
      // Removals below what is a file are about nothing.
      if (before !== undefined || change.hidesFile) links.set(name, undefined);
    } else if (after !== before) {
      const { key, tsize } = this.#made.add(after, base);
      if (key !== old?.key) links.set(name, { name, key, tsize });
    }
  }

  /** Whoever lists a directory after each update would otherwise put all of it in order each time. */
  #deriveListing(
    key: Key,
    before: DirectoryNode,
    after: DirectoryNode,
    links: ReadonlyMap<string, Link | undefined>,
  ): void {
    const listing = this.#nodes.store.listing(key);
    if (listing !== undefined && links.size > 0)
      this.#made.listings.set(this.#made.add(after, before).key, listing.with(links));
  }
}

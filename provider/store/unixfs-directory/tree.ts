import { ChangedDirectory, ChangedFile, REMOVED } from './changes.ts';
import { findEntry, listEntries } from './directory.ts';
import { isRawKey, type Key } from './keys.ts';
import { forEachLoaded, type Nodes } from './loading.ts';
import { compareNames, splitPath } from './names.ts';
import type { DirectoryNode, FileNode, Link } from './nodes.ts';

/** A file of a tree: changed and in memory, one raw block, or a node of chunks. */
export type FoundFile =
  | { kind: 'file'; size: number; bytes: Uint8Array }
  | { kind: 'file'; size: number; raw: Key }
  | { kind: 'file'; size: number; node: FileNode };

export interface FoundDirectory {
  kind: 'directory';
  size: 0;
  stored: { key: Key; node: DirectoryNode } | undefined;
  change: ChangedDirectory | undefined;
}

export type Found = FoundFile | FoundDirectory;

/**
 * What is at a path of the directory `root` with `changes` on top.
 * @throws Missing, DirectoryError INVALID_PATH
 */
export function find(nodes: Nodes, root: Key, changes: ChangedDirectory | undefined, path: string): Found | undefined {
  const segments = splitPath(path);
  let found: FoundDirectory = rootOf(nodes, root, changes);
  for (const [i, name] of segments.entries()) {
    const next = child(nodes, found, name);
    if (i === segments.length - 1 || next?.kind !== 'directory') return i === segments.length - 1 ? next : undefined;
    found = next;
  }
  return found;
}

function rootOf(nodes: Nodes, root: Key, change: ChangedDirectory | undefined): FoundDirectory {
  const node = nodes.directory(root);
  return { kind: 'directory', size: 0, stored: node && { key: root, node }, change };
}

function child(nodes: Nodes, { stored, change }: FoundDirectory, name: string): Found | undefined {
  const changed = change?.children.get(name);
  if (changed === REMOVED) return undefined;
  const link = stored && findEntry(nodes, stored.node, name);
  return merge(nodes, link, changed, change?.replaces ?? false);
}

/** An entry as it was, with what changed about it. */
function merge(
  nodes: Nodes,
  link: Link | undefined,
  changed: ChangedFile | ChangedDirectory | undefined,
  isReplaced: boolean,
): Found | undefined {
  if (changed instanceof ChangedFile) return { kind: 'file', size: changed.bytes.length, bytes: changed.bytes };
  const old = link === undefined || isReplaced ? undefined : stored(nodes, link);
  if (changed === undefined) return old;
  const below: FoundDirectory = {
    kind: 'directory',
    size: 0,
    stored: old?.kind === 'directory' && !changed.replaces ? old.stored : undefined,
    change: changed,
  };
  if (hasFiles(nodes, below)) return below;
  // Removals below what is a file are about nothing.
  return old?.kind === 'file' && !changed.hidesFile ? old : undefined;
}

function stored(nodes: Nodes, link: Link): Found {
  if (isRawKey(link.key)) return { kind: 'file', size: link.tsize, raw: link.key };
  const node = nodes.get(link.key);
  if (node.type === 'file') return { kind: 'file', size: node.size, node };
  return { kind: 'directory', size: 0, stored: { key: link.key, node }, change: undefined };
}

/** Directories exist as long as there is a file in them. */
function hasFiles(nodes: Nodes, directory: FoundDirectory): boolean {
  const { change } = directory;
  if (change === undefined) return true;
  for (const [name, changed] of change.children) {
    if (changed !== REMOVED && child(nodes, directory, name) !== undefined) return true;
  }
  if (directory.stored === undefined) return false;
  const { key, node } = directory.stored;
  // Of a basic directory, which is the usual case of one that is being emptied, no entry is looked up twice.
  const entries = node.type === 'basic' ? node.links : listEntries(nodes, key, node).behind('');
  for (const { name } of entries) if (!change.children.has(name)) return true;
  return false;
}

export interface ListedEntry {
  name: string;
  kind: 'file' | 'directory';
  size: number;
}

/** At most `limit` entries behind the name `after`, in the order of their names' bytes; `total` is all there are. */
export function list(
  nodes: Nodes,
  directory: FoundDirectory,
  after: string,
  limit: number,
): { entries: ListedEntry[]; total: number } {
  const { change } = directory;
  const own = directory.stored && listEntries(nodes, directory.stored.key, directory.stored.node);
  const links = own?.behind(after)[Symbol.iterator]();
  const changes = changesInOrder(nodes, directory);
  let total = own?.total ?? 0;
  for (const { wasThere, found } of changes) total += Number(found !== undefined) - Number(wasThere);
  const picked = pick(links, changes, after, limit);
  const isReplaced = change?.replaces ?? false;
  const entries: ListedEntry[] = [];
  // What links lead to is fetched for the whole page at once.
  forEachLoaded(picked, ({ name, found, link }) => {
    const { kind, size } = found ?? merge(nodes, link, undefined, isReplaced)!;
    entries.push({ name, kind, size });
  });
  return { entries, total };
}

interface Picked {
  name: string;
  found?: Found;
  link?: Link;
}

/** The first `limit` of links and changes together, both in order; of a name that both have the change counts. */
function pick(
  links: Iterator<Link> | undefined,
  changes: readonly { name: string; found: Found | undefined }[],
  after: string,
  limit: number,
): Picked[] {
  const picked: Picked[] = [];
  let next = links?.next();
  let at = changes.findIndex(({ name }) => compareNames(name, after) > 0);
  if (at === -1) at = changes.length;
  while (picked.length < limit) {
    const link = next?.done === false ? next.value : undefined;
    const change = changes[at];
    if (change !== undefined && (link === undefined || compareNames(change.name, link.name) <= 0)) {
      if (link?.name === change.name) next = links?.next();
      at += 1;
      if (change.found !== undefined) picked.push({ name: change.name, found: change.found });
    } else if (link !== undefined) {
      next = links?.next();
      picked.push({ name: link.name, link });
    } else {
      break;
    }
  }
  return picked;
}

function changesInOrder(
  nodes: Nodes,
  directory: FoundDirectory,
): { name: string; found: Found | undefined; wasThere: boolean }[] {
  if (directory.change === undefined) return [];
  return [...directory.change.children.keys()].sort(compareNames).map((name) => ({
    name,
    found: child(nodes, directory, name),
    wasThere: directory.stored !== undefined && findEntry(nodes, directory.stored.node, name) !== undefined,
  }));
}

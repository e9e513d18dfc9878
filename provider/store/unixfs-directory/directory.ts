import type { Key } from './keys.ts';
import type { Nodes } from './loading.ts';
import { nameHash } from './names.ts';
import type { NewNodes } from './new-nodes.ts';
import { isSharded, linkTotal, lowerBound, type DirectoryNode, type Link, type ShardNode } from './nodes.ts';
import { countWhileBasic, findInShard, shardEntries, ShardUpdate, type ShardChange } from './shards.ts';
import { mergeLinks, SortedLinks } from './sorted-links.ts';

/** @throws Missing */
export function findEntry(nodes: Nodes, directory: DirectoryNode, name: string): Link | undefined {
  if (directory.type === 'shard') return findInShard(nodes, directory, name);
  const link = directory.links[lowerBound(directory.links, name)];
  return link?.name === name ? link : undefined;
}

/** Entries in the order of their names, those behind `after`; and how many there are in all. */
export function listEntries(
  nodes: Nodes,
  key: Key,
  directory: DirectoryNode,
): { total: number; behind(after: string): Iterable<Link> } {
  if (directory.type === 'basic') return new SortedLinks(directory.links.length === 0 ? [] : [directory.links]);
  const known = nodes.store.listing(key);
  if (known !== undefined) return known;
  const listing = SortedLinks.from(shardEntries(nodes, directory));
  nodes.store.keepListing(key, listing);
  return listing;
}

/**
 * A directory after changes of its entries (undefined removes), in the form that a directory of these entries has, however
 * it came to be. Undefined when it has none. Puts shards below it into `made`, not the directory itself.
 *
 * @throws Missing
 */
export function updateDirectory(
  nodes: Nodes,
  made: NewNodes,
  directory: DirectoryNode | undefined,
  changes: ReadonlyMap<string, Link | undefined>,
): DirectoryNode | undefined {
  if (changes.size === 0) return directory;
  if (directory?.type === 'shard') return updateSharded(nodes, made, directory, changes);
  const links = mergeLinks(directory?.links ?? [], changes);
  return links.length === 0 ? undefined : fromLinks(nodes, made, links);
}

function fromLinks(nodes: Nodes, made: NewNodes, links: readonly Link[]): DirectoryNode {
  if (!isSharded(linkTotal(links).bytes)) return { type: 'basic', links };
  const entries = links.map((link) => ({ name: link.name, hash: nameHash(link.name), link }));
  return new ShardUpdate(nodes, made).build(entries, 0);
}

function updateSharded(
  nodes: Nodes,
  made: NewNodes,
  directory: ShardNode,
  changes: ReadonlyMap<string, Link | undefined>,
): DirectoryNode | undefined {
  const list = Array.from(changes, ([name, link]): ShardChange => ({ name, hash: nameHash(name), link }));
  const update = new ShardUpdate(nodes, made);
  const updated = update.update(directory, list, 0);
  if (updated === undefined || updated === directory) return updated;
  // It was too large before, so only what made it smaller can make it small enough.
  if (update.added.bytes >= 0) return updated;
  const all = nodes.with(made.nodes);
  if (countWhileBasic(all, updated) === undefined) return updated;
  const entries = shardEntries(all, updated).map((link) => [link.name, link] as const);
  return { type: 'basic', links: mergeLinks([], entries) };
}

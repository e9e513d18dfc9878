import { BASIC_BYTES_MAX, DIRECTORY_DATA_BYTES, FANOUT, LISTING_ENTRIES_MAX, SHARD_DEPTH_MAX } from './constants.ts';
import { DirectoryError } from './errors.ts';
import type { Key } from './keys.ts';
import { forEachLoaded, Missing, type Nodes } from './loading.ts';
import { nameHash } from './names.ts';
import type { NewNodes } from './new-nodes.ts';
import { indexOfSlot, linkBytes, linkTotal, type Link, type Node, type ShardNode, type Total } from './nodes.ts';

/** A name that gets another link, or none; its hash says where it is. */
export interface ShardChange {
  name: string;
  hash: Uint8Array;
  link: Link | undefined;
}

/**
 * Shards in their canonical form: a sub-shard exists where two names or more share the bytes of their hash so far. So what
 * a directory looks like does not depend on the order of its changes.
 */
export class ShardUpdate {
  readonly #nodes: Nodes;
  readonly #made: NewNodes;
  /** What the entries of the whole directory take more than before. */
  readonly added: Total = { bytes: 0, entries: 0 };

  constructor(nodes: Nodes, made: NewNodes) {
    this.#nodes = nodes;
    this.#made = made;
  }

  /** A shard of the level `depth`, at 0 the topmost, after changes. Undefined when nothing is left. */
  update(node: ShardNode, changes: readonly ShardChange[], depth: number): ShardNode | undefined {
    const before = { ...this.added };
    const bySlot = Map.groupBy(changes, ({ hash }) => hash[depth]!);
    const changed = new Map<number, Link | undefined>();
    forEachLoaded(bySlot, ([slot, own]) => {
      const index = indexOfSlot(node, slot);
      const old = index === -1 ? undefined : node.links[index]!;
      const link = this.#updateSlot(old, own, depth + 1);
      if (link !== old) changed.set(slot, link);
    });
    if (changed.size === 0) return node;
    const { slots, links } = withSlots(node, changed);
    if (links.length === 0) return undefined;
    const updated: ShardNode = { type: 'shard', slots, links };
    if (node.total !== undefined) {
      updated.total = {
        bytes: node.total.bytes + this.added.bytes - before.bytes,
        entries: node.total.entries + this.added.entries - before.entries,
      };
    }
    return updated;
  }

  /** A shard of entries that are new. */
  build(entries: readonly ShardChange[], depth: number): ShardNode {
    if (depth >= SHARD_DEPTH_MAX) {
      const names = entries.slice(0, 2).map(({ name }) => JSON.stringify(name));
      const message = `The names ${names.join(' and ')} have the same hash, so they cannot be in one large directory.`;
      throw new DirectoryError('DIRECTORY_TOO_DEEP', message);
    }
    const bySlot = [...Map.groupBy(entries, ({ hash }) => hash[depth]!)].sort(([a], [b]) => a - b);
    return {
      type: 'shard',
      slots: Uint8Array.from(bySlot, ([slot]) => slot),
      links: bySlot.map(([, own]) => this.#linkOf(own, depth + 1)!),
      total: linkTotal(entries.map(({ link }) => link!)),
    };
  }

  /** A link to what is below a slot after changes: a shard, an entry, or nothing. */
  #updateSlot(old: Link | undefined, changes: readonly ShardChange[], depth: number): Link | undefined {
    if (old?.name === '') return this.#updateChild(old, changes, depth);
    const entries = new Map<string, ShardChange>();
    if (old !== undefined) entries.set(old.name, { name: old.name, hash: nameHash(old.name), link: old });
    for (const change of changes) {
      const before = entries.get(change.name)?.link;
      this.#count(before, change.link);
      if (change.link === undefined) entries.delete(change.name);
      else entries.set(change.name, change);
    }
    return this.#linkOf([...entries.values()], depth);
  }

  #updateChild(old: Link, changes: readonly ShardChange[], depth: number): Link | undefined {
    const child = asShard(this.#nodes.get(old.key));
    const updated = this.update(child, changes, depth);
    if (updated === child) return old;
    this.#made.replaced.push(old.key);
    if (updated === undefined) return undefined;
    // One entry alone needs no shard.
    const [only] = updated.links;
    if (updated.links.length === 1 && only!.name !== '') return only;
    const { key, tsize } = this.#made.add(updated, child);
    return { name: '', key, tsize };
  }

  #linkOf(entries: readonly ShardChange[], depth: number): Link | undefined {
    if (entries.length <= 1) return entries[0]?.link;
    const { key, tsize } = this.#made.add(this.build(entries, depth));
    return { name: '', key, tsize };
  }

  #count(before: Link | undefined, after: Link | undefined): void {
    if (before !== undefined) this.added.bytes -= linkBytes(before);
    if (after !== undefined) this.added.bytes += linkBytes(after);
    this.added.entries += Number(after !== undefined) - Number(before !== undefined);
  }
}

export function asShard(node: Node): ShardNode {
  if (node.type === 'shard') return node;
  throw new DirectoryError('DIRECTORY_MALFORMED', `A shard of a directory leads to a ${node.type} node.`);
}

function withSlots(
  node: ShardNode,
  changed: ReadonlyMap<number, Link | undefined>,
): { slots: Uint8Array; links: Link[] } {
  const replaced = node.links.slice();
  let isInPlace = true;
  for (const [slot, link] of changed) {
    const index = indexOfSlot(node, slot);
    if (index === -1 || link === undefined) isInPlace = false;
    else replaced[index] = link;
  }
  if (isInPlace) return { slots: node.slots, links: replaced };
  const bySlot: (Link | undefined)[] = Array.from({ length: FANOUT });
  for (let i = 0; i < node.links.length; i++) bySlot[node.slots[i]!] = node.links[i];
  for (const [slot, link] of changed) bySlot[slot] = link;
  const links: Link[] = [];
  const slots: number[] = [];
  for (let slot = 0; slot < FANOUT; slot++) {
    const link = bySlot[slot];
    if (link === undefined) continue;
    slots.push(slot);
    links.push(link);
  }
  return { slots: Uint8Array.from(slots), links };
}

export function findInShard(nodes: Nodes, root: ShardNode, name: string): Link | undefined {
  const hash = nameHash(name);
  let node = root;
  for (const slot of hash) {
    const index = indexOfSlot(node, slot);
    const link = index === -1 ? undefined : node.links[index]!;
    if (link === undefined) return undefined;
    if (link.name !== '') return link.name === name ? link : undefined;
    node = asShard(nodes.get(link.key));
  }
  return undefined;
}

/** All entries below, in no order that means anything. */
export function shardEntries(nodes: Nodes, root: ShardNode): Link[] {
  const entries: Link[] = [];
  const visit = (node: ShardNode, depth: number): void => {
    if (depth >= SHARD_DEPTH_MAX) throw new DirectoryError('DIRECTORY_MALFORMED', 'Shards are nested too deep.');
    forEachLoaded(node.links, (link) => {
      if (link.name === '') visit(asShard(nodes.get(link.key)), depth + 1);
      else entries.push(link);
    });
    if (entries.length > LISTING_ENTRIES_MAX) {
      const message = `A directory has more than ${LISTING_ENTRIES_MAX} entries, so they cannot be listed in order.`;
      throw new DirectoryError('DIRECTORY_TOO_LARGE', message);
    }
  };
  visit(root, 0);
  return entries;
}

/**
 * What all entries take in a basic directory; undefined when it is known to be too much for one. Remembers what it counts,
 * so that the next look at a shard that did not change is short.
 *
 * @throws Missing
 */
export function countWhileBasic(nodes: Nodes, node: ShardNode): Total | undefined {
  return count(nodes, node, BASIC_BYTES_MAX - DIRECTORY_DATA_BYTES);
}

function count(nodes: Nodes, node: ShardNode, bytesMax: number): Total | undefined {
  if (node.total !== undefined) return node.total.bytes > bytesMax ? undefined : node.total;
  const total: Total = { bytes: 0, entries: 0 };
  const unknown: Key[] = [];
  for (const link of node.links) {
    if (link.name !== '') {
      total.bytes += linkBytes(link);
      total.entries += 1;
    } else {
      const child = nodes.peek(link.key);
      if (child === undefined) unknown.push(link.key);
      else {
        const below = count(nodes, asShard(child), bytesMax - total.bytes);
        if (below === undefined) return undefined;
        total.bytes += below.bytes;
        total.entries += below.entries;
      }
    }
    if (total.bytes > bytesMax) return undefined;
  }
  if (unknown.length > 0) throw new Missing(unknown);
  node.total = total;
  return total;
}

import { sha256 } from './cids.ts';

/**
 * Merkle tree as in RFC 6962 (leaf = H(0x00 || data), node = H(0x01 || left || right)), so that one signature covers
 * all receipts that a provider signs at the same time and each of them can still be checked alone.
 */
export interface Inclusion {
  index: number;
  size: number;
  /** Sibling hashes from the leaf to the root. */
  path: Uint8Array[];
}

export const BATCH_SIZE_MAX = 1024;
/** Siblings on the way up from a leaf of the largest batch. */
export const PATH_MAX = 10;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export function leafHash(data: Uint8Array): Uint8Array {
  return sha256(LEAF, data);
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right);
}

/** The root over the leaf hashes and the inclusion proof of each. An odd node at the end of a level moves up as it is. */
export function merkleTree(leaves: Uint8Array[]): { root: Uint8Array; inclusions: Inclusion[] } {
  const size = leaves.length;
  if (size === 0 || size > BATCH_SIZE_MAX)
    throw new RangeError(`A batch has 1 to ${BATCH_SIZE_MAX} leaves, not ${size}`);
  const inclusions = leaves.map((_, index): Inclusion => ({ index, size, path: [] }));
  let level = leaves;
  for (let height = 0; level.length > 1; height++) {
    for (const { index, path } of inclusions) {
      const sibling = level[(index >> height) ^ 1];
      if (sibling !== undefined) path.push(sibling);
    }
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1];
      above.push(right === undefined ? level[i]! : nodeHash(level[i]!, right));
    }
    level = above;
  }
  return { root: level[0]!, inclusions };
}

/** Nodes of a tree by place; see `placeOf`. */
export type MerkleNodes = Map<number, Uint8Array>;

/** A number for each place of a tree: its height and its position from the left. */
function placeOf(height: number, position: number): number {
  return height * BATCH_SIZE_MAX + position;
}

/**
 * Climbs from a leaf to the root. From the first node on that is in `known` nothing is hashed again: leaves of one batch
 * share most of their way. The proof must hold all the same: its other hashes have to be the known ones.
 * Answers the nodes on the way, and the root unless it is vouched for by a known node. Undefined when the proof has not the shape of a proof, or leads elsewhere.
 */
export function climb(
  leaf: Uint8Array,
  { index, size, path }: Inclusion,
  known?: MerkleNodes,
): { root?: Uint8Array; nodes: [place: number, hash: Uint8Array][] } | undefined {
  if (size < 1 || size > BATCH_SIZE_MAX || index < 0 || index >= size || path.length > PATH_MAX) return undefined;
  const nodes: [number, Uint8Array][] = [];
  let hash = leaf;
  let used = 0;
  let isKnown = false;
  for (let height = 0, width = size; ; height++, width = (width + 1) >> 1) {
    const position = index >> height;
    if (!isKnown) {
      const before = known?.get(placeOf(height, position));
      if (before !== undefined && Buffer.compare(before, hash) !== 0) return undefined;
      isKnown = before !== undefined;
      if (!isKnown) nodes.push([placeOf(height, position), hash]);
    }
    if (width === 1) break;
    if ((position ^ 1) >= width) continue;
    const sibling = path[used++];
    if (sibling === undefined || sibling.length !== 32) return undefined;
    if (isKnown) {
      const before = known?.get(placeOf(height, position ^ 1));
      if (before === undefined || Buffer.compare(before, sibling) !== 0) return undefined;
    } else {
      nodes.push([placeOf(height, position ^ 1), sibling]);
      hash = position & 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    }
  }
  if (used !== path.length) return undefined;
  return isKnown ? { nodes } : { root: hash, nodes };
}

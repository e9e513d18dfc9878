import { BASIC_BYTES_MAX, CHUNK_BYTES, DIRECTORY_DATA_BYTES, FANOUT, FILE_BYTES_MAX } from './constants.ts';
import { DirectoryError, malformed } from './errors.ts';
import { cidOfKey, isRawKey, keyOf, type Key } from './keys.ts';
import { compareNames, nameFault, nameHash } from './names.ts';
import {
  decodeNode,
  encodeNode,
  linkBytes,
  varintBytes,
  WireReader,
  writeVarint,
  type Layout,
  type Link,
} from './wire.ts';

/** A directory of one block: entries in the order of their names' bytes. */
export interface BasicNode {
  type: 'basic';
  links: readonly Link[];
}

/** Part of a sharded directory. A link without a name leads to the shard of the next level. */
export interface ShardNode {
  type: 'shard';
  /** The slot of each link, ascending. */
  slots: Uint8Array;
  links: readonly Link[];
  /** Bytes that all entries below take in a basic directory, and their number; unknown until somebody needs them. */
  total?: Total;
}

export interface Total {
  bytes: number;
  entries: number;
}

/** A file of more than one chunk. */
export interface FileNode {
  type: 'file';
  size: number;
  chunks: readonly Key[];
}

export type Node = BasicNode | ShardNode | FileNode;
export type DirectoryNode = BasicNode | ShardNode;

const TYPE_DIRECTORY = 1;
const TYPE_FILE = 2;
const TYPE_SHARD = 5;
const DIRECTORY_DATA = Uint8Array.of(0x08, TYPE_DIRECTORY);
/** Hash function murmur3-x64-64 and fanout 256. */
const SHARD_DATA_TAIL = Uint8Array.of(0x28, 0x22, 0x30, 0x80, 0x02);

const SLOT_TEXTS = Array.from({ length: FANOUT }, (_, slot) => slot.toString(16).toUpperCase().padStart(2, '0'));

export interface Encoded {
  key: Key;
  bytes: Uint8Array;
  /** The size that a link to it says. */
  tsize: number;
}

/** The blocks of nodes that are in use: what changes next is mostly copied from them. They go with their nodes. */
const layouts = new WeakMap<Node, Layout & Encoded>();

/** @param last the node that this one was made from by a change */
export function encode(node: Node, last?: Node): Encoded {
  const known = layouts.get(node);
  if (known !== undefined) return known;
  const layout = layoutOf(node, last);
  const { bytes } = layout;
  let tsize = bytes.length;
  if (node.type === 'file') tsize += node.size;
  else for (const link of node.links) tsize += link.tsize;
  const encoded = { ...layout, key: keyOf('node', bytes), tsize };
  layouts.set(node, encoded);
  return encoded;
}

function layoutOf(node: Node, last: Node | undefined): Layout {
  if (node.type === 'file') {
    const links = node.chunks.map((key, i) => ({ name: '', key, tsize: chunkSize(node.size, i) }));
    return encodeNode({ links }, fileData(node));
  }
  const layout = last && layouts.get(last);
  const before = layout === undefined || last?.type !== node.type ? undefined : { ...last, layout };
  return encodeNode(node, node.type === 'basic' ? DIRECTORY_DATA : shardData(node.slots), before);
}

function chunkSize(size: number, index: number): number {
  return Math.min(CHUNK_BYTES, size - index * CHUNK_BYTES);
}

function fileData({ size, chunks }: FileNode): Uint8Array {
  const target = new Uint8Array(16 + chunks.length * 5);
  target.set([0x08, TYPE_FILE, 0x18]);
  let at = writeVarint(target, 3, size);
  for (let i = 0; i < chunks.length; i++) {
    target[at++] = 0x20;
    at = writeVarint(target, at, chunkSize(size, i));
  }
  return target.subarray(0, at);
}

/** Bit i of a big-endian number says whether slot i is taken; zero bytes in front are left out. */
function shardData(slots: Uint8Array): Uint8Array {
  const field = new Uint8Array(FANOUT / 8);
  for (const slot of slots) field[FANOUT / 8 - 1 - (slot >> 3)]! |= 1 << (slot & 7);
  const bits = field.subarray(field.findIndex((byte) => byte !== 0));
  const target = new Uint8Array(4 + bits.length + SHARD_DATA_TAIL.length);
  target.set([0x08, TYPE_SHARD, 0x12, bits.length]);
  target.set(bits, 4);
  target.set(SHARD_DATA_TAIL, 4 + bits.length);
  return target;
}

/**
 * A node in its one encoding, also when a stranger made it.
 * @throws DirectoryError DIRECTORY_MALFORMED
 */
export function decode(key: Key, block: Uint8Array): Node {
  try {
    const { links, data } = decodeNode(block);
    if (data[0] !== 0x08) throw new Error('it is not UnixFS');
    const node = toNode(data[1], links, data);
    // A second encoding of the same node would give the same files another root.
    if (encode(node).key !== key) throw new Error('it is not written as Workswap and Kubo write it');
    return node;
  } catch (error) {
    if (error instanceof DirectoryError) throw error;
    throw malformed(cidOfKey(key).toString(), (error as Error).message);
  }
}

function toNode(type: number | undefined, links: Link[], data: Uint8Array): Node {
  if (type === TYPE_DIRECTORY) return toBasic(links);
  if (type === TYPE_SHARD) return toShard(links);
  if (type === TYPE_FILE) return toFile(links, data);
  throw new Error('it is neither a directory nor a file');
}

function toBasic(links: Link[]): BasicNode {
  for (const [i, { name }] of links.entries()) {
    const fault = nameFault(name);
    if (fault !== undefined) throw new Error(`of a name ${fault}`);
    if (i > 0 && compareNames(links[i - 1]!.name, name) >= 0) throw new Error('its names are not in order');
  }
  return { type: 'basic', links };
}

function toShard(prefixed: Link[]): ShardNode {
  const slots = new Uint8Array(prefixed.length);
  const links = prefixed.map(({ name, key, tsize }, i) => {
    const slot = SLOT_TEXTS.indexOf(name.slice(0, 2));
    if (slot === -1 || (i > 0 && slot <= slots[i - 1]!)) throw new Error('its slots are not in order');
    slots[i] = slot;
    const rest = name.slice(2);
    const fault = rest === '' ? undefined : nameFault(rest);
    if (fault !== undefined) throw new Error(`of a name ${fault}`);
    if (rest === '' && isRawKey(key)) throw new Error('a shard is not a raw block');
    return { name: rest, key, tsize };
  });
  if (links.length === 0) throw new Error('a shard has entries');
  return { type: 'shard', slots, links };
}

function toFile(links: Link[], data: Uint8Array): FileNode {
  const reader = new WireReader(Buffer.from(data.subarray(2)));
  reader.tag(0x18);
  const size = reader.varint();
  if (size <= CHUNK_BYTES || size > FILE_BYTES_MAX) throw new Error(`a file of ${size} bytes has no node`);
  if (links.length !== Math.ceil(size / CHUNK_BYTES)) throw new Error('its chunks are not of 1 MiB');
  const chunks = links.map(({ key }) => {
    if (!isRawKey(key)) throw new Error('a chunk is not a raw block');
    return key;
  });
  return { type: 'file', size, chunks };
}

/** The file's node or leaf, and its blocks: what goes into a directory. */
export function encodeFile(bytes: Uint8Array): {
  key: Key;
  tsize: number;
  blocks: [Key, Uint8Array][];
  node?: FileNode;
} {
  if (bytes.length <= CHUNK_BYTES) {
    const key = keyOf('raw', bytes);
    return { key, tsize: bytes.length, blocks: [[key, bytes]] };
  }
  if (bytes.length > FILE_BYTES_MAX) {
    throw new DirectoryError(
      'FILE_TOO_LARGE',
      `A file has ${bytes.length} bytes; at most ${FILE_BYTES_MAX} are allowed.`,
    );
  }
  const blocks: [Key, Uint8Array][] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + CHUNK_BYTES);
    blocks.push([keyOf('raw', chunk), chunk]);
  }
  const node: FileNode = { type: 'file', size: bytes.length, chunks: blocks.map(([key]) => key) };
  const { key, tsize, bytes: block } = encode(node);
  blocks.push([key, block]);
  return { key, tsize, blocks, node };
}

export function linkTotal(links: readonly Link[]): Total {
  let bytes = 0;
  for (const link of links) bytes += linkBytes(link);
  return { bytes, entries: links.length };
}

/** Whether entries of this size together are sharded. */
export function isSharded(totalBytes: number): boolean {
  return DIRECTORY_DATA_BYTES + totalBytes > BASIC_BYTES_MAX;
}

/** The index of the link in this slot, or -1. */
export function indexOfSlot({ slots }: ShardNode, slot: number): number {
  let low = 0;
  let high = slots.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = slots[middle]!;
    if (found === slot) return middle;
    if (found < slot) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Where the first link whose name is not before `name` stands. */
export function lowerBound(links: readonly Link[], name: string): number {
  let low = 0;
  let high = links.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareNames(links[middle]!.name, name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The memory that a decoded node and its block take, roughly. */
export function nodeMemoryBytes(node: Node): number {
  return node.type === 'file' ? 256 + node.chunks.length * 128 : 384 + node.links.length * 260;
}

export { linkBytes, nameHash, varintBytes };
export type { Link };

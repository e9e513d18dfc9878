import { murmur3128 } from '@multiformats/murmur3';
import type { CID } from 'multiformats/cid';
import { HttpError } from '../http/index.ts';
import type { BlockReader } from './block-reader.ts';
import { DEPTH_MAX } from './limits.ts';
import { decodeUnixFs, type UnixFsNode } from './node.ts';

/** Of 256 in every directory that tools make; the format allows powers of two up to 1024. */
const FANOUT_MAX = 1024;

export interface DirectoryEntry {
  name: string;
  cid: CID;
  /** Bytes of the whole DAG below, as the directory claims. */
  bytes: number;
}

/** The entry of this name in a directory, plain or sharded. Reads the blocks on the way to it, and no others. */
export async function findEntry(reader: BlockReader, directory: UnixFsNode, name: string): Promise<CID | undefined> {
  if (directory.unixfs.type === 'directory') return directory.links.find(({ Name }) => Name === name)?.Hash;
  const bits = new HashBits(await hashOf(name));
  let shard = directory;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const { width, slotBits } = shardOf(shard);
    const prefix = bits.take(slotBits).toString(16).toUpperCase().padStart(width, '0');
    const links = shard.links.filter(({ Name }) => Name?.startsWith(prefix) === true);
    const entry = links.find(({ Name }) => Name?.slice(width) === name);
    if (entry !== undefined && name !== '') return entry.Hash;
    const child = links.find(({ Name }) => Name?.length === width);
    if (child === undefined) return undefined;
    shard = decodeUnixFs(child.Hash, await reader.get(child.Hash));
  }
  throw tooDeep(directory.cid);
}

/** All entries, in the order of the nodes. A sharded directory is walked shard by shard. */
export async function* listEntries(reader: BlockReader, directory: UnixFsNode): AsyncGenerator<DirectoryEntry> {
  yield* entriesOf(reader, directory, 0);
}

async function* entriesOf(reader: BlockReader, node: UnixFsNode, depth: number): AsyncGenerator<DirectoryEntry> {
  if (depth > DEPTH_MAX) throw tooDeep(node.cid);
  const width = node.unixfs.type === 'directory' ? 0 : shardOf(node).width;
  for (const { Name = '', Hash, Tsize = 0 } of node.links) {
    if (width > 0 && Name.length === width) {
      yield* entriesOf(reader, decodeUnixFs(Hash, await reader.get(Hash)), depth + 1);
    } else yield { name: Name.slice(width), cid: Hash, bytes: Tsize };
  }
}

/** Links of a sharded directory that are shards themselves. */
export function childShards(node: UnixFsNode): CID[] {
  if (node.unixfs.type !== 'hamt-sharded-directory') return [];
  const { width } = shardOf(node);
  return node.links.filter(({ Name }) => Name?.length === width).map(({ Hash }) => Hash);
}

function shardOf({ cid, unixfs }: UnixFsNode): { width: number; slotBits: number } {
  const fanout = Number(unixfs.fanout ?? 0n);
  const slotBits = Math.log2(fanout);
  if (unixfs.type !== 'hamt-sharded-directory' || fanout < 2 || fanout > FANOUT_MAX || !Number.isInteger(slotBits)) {
    throw new HttpError(500, 'NOT_UNIXFS', `The block ${cid} is not a shard of a directory`);
  }
  return { width: (fanout - 1).toString(16).length, slotBits };
}

function tooDeep(cid: CID): HttpError {
  return new HttpError(500, 'TOO_DEEP', `The directory ${cid} is nested deeper than ${DEPTH_MAX} shards`);
}

/** The first 64 bits of murmur3-x64-128, as all implementations take them. */
async function hashOf(name: string): Promise<Uint8Array> {
  const digest = await murmur3128.encode(new TextEncoder().encode(name));
  return digest.subarray(0, 8);
}

class HashBits {
  #rest: bigint;
  #left = 64;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
  }

  take(count: number): number {
    // Beyond 64 bits two names cannot be told apart; nothing can be stored there.
    if (count > this.#left) return 0;
    this.#left -= count;
    return Number((this.#rest >> BigInt(this.#left)) & ((1n << BigInt(count)) - 1n));
  }
}

import * as dagCbor from '@ipld/dag-cbor';
import type { CID } from 'multiformats/cid';
import { linksOf } from '../../store/index.ts';
import { HttpError } from '../http/index.ts';
import { isIdentity, isRaw, type Block, type BlockReader } from './block-reader.ts';
import { bytesWithin, type CarScope } from './car-scope.ts';
import { childShards } from './directory.ts';
import { CAR_AHEAD, CAR_PENDING_MAX } from './limits.ts';
import { DAG_PB, decodeUnixFs, isDirectory } from './node.ts';

export interface CarRequest extends CarScope {
  dups: boolean;
}

/** Beyond them the stream breaks off. A small DAG can stand for endless blocks, since its links may lead to the same. */
export interface CarLimits {
  carBlocksMax: number;
  carBytesMax: number;
}

/** A block that is still to come, with what of a file lies below it. */
interface Pending {
  cid: CID;
  /** Where the node begins in its file, and the bytes of the file that are wanted. */
  file?: { position: number; start: number; end: number };
  /** Shards of the directory that is listed. */
  isShard?: boolean;
  bytes?: Promise<Uint8Array>;
}

/**
 * A CARv1: header, the blocks of the path, then those below its end, depth first. The order is a function of the DAG, so
 * the same request has the same bytes. Blocks are fetched a few ahead of the client, and only as fast as it reads.
 */
export async function* writeCar(
  reader: BlockReader,
  path: readonly Block[],
  request: CarRequest,
  { carBlocksMax, carBytesMax }: CarLimits,
): AsyncGenerator<Uint8Array> {
  const { cid: end, bytes } = path.at(-1)!;
  yield header(end);
  const seen = new Set<string>();
  const ahead = new Ahead(reader);
  let blocks = 0;
  let size = 0;
  const isNew = (cid: CID): boolean => {
    // An inline block is inside its parent already.
    if (isIdentity(cid)) return false;
    if (request.dups) return true;
    const key = cid.toString();
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
  for (const block of path) if (isNew(block.cid)) yield section(block);
  const stack = childrenOfEnd(end, bytes, request).reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (!request.dups && seen.has(next.cid.toString())) continue;
    const block = { cid: next.cid, bytes: await ahead.get(next) };
    blocks += 1;
    size += block.bytes.length;
    if (blocks > carBlocksMax) throw tooLarge(`${carBlocksMax} blocks`);
    if (size > carBytesMax) throw tooLarge(`${carBytesMax} bytes`);
    if (isNew(block.cid)) yield section(block);
    for (const child of childrenOf(next, block.bytes, request).reverse()) stack.push(child);
    if (stack.length > CAR_PENDING_MAX) throw tooLarge(`${CAR_PENDING_MAX} links to follow`);
    ahead.fetch(stack, seen);
  }
}

function tooLarge(limit: string): HttpError {
  return new HttpError(413, 'CAR_TOO_LARGE', `This CAR has more than ${limit}; ask for its parts`);
}

/** Blocks on the way ahead of the client: those that come next, so few of them that a deep DAG cannot fill the memory. */
class Ahead {
  readonly #reader: BlockReader;
  /** As they stand in the stack: the last is needed first. */
  #pending: Pending[] = [];

  constructor(reader: BlockReader) {
    this.#reader = reader;
  }

  get(next: Pending): Promise<Uint8Array> {
    if (next.bytes === undefined) return this.#reader.fetch(next.cid);
    this.#pending = this.#pending.filter((one) => one !== next);
    return next.bytes;
  }

  fetch(stack: readonly Pending[], seen: ReadonlySet<string>): void {
    for (const pending of stack.slice(-CAR_AHEAD)) {
      if (pending.bytes !== undefined || seen.has(pending.cid.toString())) continue;
      pending.bytes = this.#reader.fetch(pending.cid);
      // It is awaited in its turn, or never when the client leaves.
      pending.bytes.catch(() => {});
      this.#pending.push(pending);
    }
    // What is needed last is fetched again then, from the store.
    for (const pending of this.#pending.splice(0, this.#pending.length - 2 * CAR_AHEAD)) delete pending.bytes;
  }
}

function childrenOfEnd(cid: CID, bytes: Uint8Array, { scope, bytes: range }: CarRequest): Pending[] {
  if (scope === 'block') return [];
  if (scope === 'all') return links(cid, bytes);
  if (cid.code !== DAG_PB) return [];
  const node = decodeUnixFs(cid, bytes);
  if (isDirectory(node)) return childShards(node).map((shard) => ({ cid: shard, isShard: true }));
  const size = Number(node.unixfs.fileSize());
  const wanted = range === undefined ? { start: 0, end: size } : bytesWithin(range, size);
  return wanted === undefined ? [] : partsOf(cid, bytes, { position: 0, ...wanted });
}

function childrenOf({ cid, file, isShard }: Pending, bytes: Uint8Array, request: CarRequest): Pending[] {
  if (request.scope === 'all') return links(cid, bytes);
  if (isShard === true) return childShards(decodeUnixFs(cid, bytes)).map((shard) => ({ cid: shard, isShard: true }));
  return file === undefined || isRaw(cid) ? [] : partsOf(cid, bytes, file);
}

function links(cid: CID, bytes: Uint8Array): Pending[] {
  return linksOf(cid, bytes).map((link) => ({ cid: link }));
}

/** Children of a file's node that have bytes of the range; all of those that are empty are left out. */
function partsOf(cid: CID, bytes: Uint8Array, file: { position: number; start: number; end: number }): Pending[] {
  const { unixfs, links: children } = decodeUnixFs(cid, bytes);
  let position = file.position + (unixfs.data?.length ?? 0);
  const parts: Pending[] = [];
  for (const [index, { Hash }] of children.entries()) {
    const size = Number(unixfs.blockSizes[index] ?? 0);
    if (position < file.end && position + size > file.start) parts.push({ cid: Hash, file: { ...file, position } });
    position += size;
  }
  return parts;
}

function header(root: CID): Uint8Array {
  const bytes = dagCbor.encode({ version: 1, roots: [root] });
  return Buffer.concat([varint(bytes.length), bytes]);
}

/** One block of a CAR. */
export function section({ cid, bytes }: Block): Uint8Array {
  return Buffer.concat([varint(cid.bytes.length + bytes.length), cid.bytes, bytes]);
}

/** A whole CAR of blocks that are at hand, the first of them its root. */
export function carOf(blocks: readonly Block[]): Uint8Array {
  return Buffer.concat([header(blocks[0]!.cid), ...blocks.map(section)]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  bytes.push(value);
  return Uint8Array.from(bytes);
}

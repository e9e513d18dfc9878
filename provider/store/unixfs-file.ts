import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';

/**
 * Reads ranges of UnixFS files. It is our own, and not ipfs-unixfs-exporter's, because files come from strangers: there,
 * an error below the first level of a file is an unhandled rejection, which ends the process, and a small DAG whose
 * nodes share children takes exponential time. Here only children with bytes of the range are visited, one at a time in
 * order with a few fetched ahead, and what a node says of its children must be true.
 */
export interface UnixFsFile {
  size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A fact about the content: it is not a file, or not a well-formed one. Every node finds the same. */
export class MalformedFileError extends Error {}

/** Deeper than any file of usable size: 174 links a node make 10^13 bytes in 6 levels. */
const DEPTH_MAX = 16;
/** Siblings that are fetched ahead. */
const AHEAD = 8;
/** Blocks that one read may take: what is chopped finer than this costs more than its bytes say. */
const BLOCKS_FIXED_MAX = 4096;
const BYTES_PER_BLOCK_MIN = 256;
const IDENTITY = 0x00;

type Fetch = (cid: CID) => Promise<Uint8Array>;

/** Part of a file: bytes of its own, then children. */
interface Node {
  size: number;
  data: Uint8Array;
  children: { cid: CID; start: number; size: number }[];
}

/** @throws MalformedFileError, and whatever `fetch` throws */
export async function openUnixFsFile(cid: CID, fetch: Fetch): Promise<UnixFsFile> {
  const root = decodeNode(cid, await fetchBlock(cid, fetch));
  return {
    size: root.size,
    async read(offset, length) {
      const start = Math.min(Math.max(0, offset), root.size);
      const range = { start, end: Math.min(root.size, start + Math.max(0, length)) };
      const target = new Uint8Array(range.end - range.start);
      const budget = { blocks: BLOCKS_FIXED_MAX + Math.ceil(target.length / BYTES_PER_BLOCK_MIN) };
      const counted: Fetch = (child) => {
        budget.blocks -= 1;
        if (budget.blocks < 0) throw new Error(`${cid} is made of blocks too small to be read`);
        return fetchBlock(child, fetch);
      };
      await copyRange(root, 0, range, target, counted, 1);
      return target;
    },
  };
}

interface Range {
  start: number;
  end: number;
}

/** Copies what `node`, which begins at `position` of the file, has of the range. */
async function copyRange(
  node: Node,
  position: number,
  range: Range,
  target: Uint8Array,
  fetch: Fetch,
  depth: number,
): Promise<void> {
  if (depth > DEPTH_MAX) throw new MalformedFileError(`its nodes are nested deeper than ${DEPTH_MAX}`);
  const from = Math.max(range.start, position);
  const own = node.data.subarray(from - position, Math.max(from - position, range.end - position));
  if (own.length > 0) target.set(own, from - range.start);
  const wanted = node.children.filter(
    ({ start, size }) => position + start < range.end && position + start + size > range.start,
  );
  const ahead: Promise<Uint8Array>[] = [];
  for (const [index, { cid, start, size }] of wanted.entries()) {
    while (ahead.length < Math.min(wanted.length, index + AHEAD)) {
      const next = wanted[ahead.length];
      if (next === undefined) break;
      const block = Promise.resolve(next.cid).then(fetch);
      // It is awaited later, or never when an earlier one fails.
      block.catch(() => {});
      ahead.push(block);
    }
    const block = await (ahead[index] as Promise<Uint8Array>);
    const child = decodeNode(cid, block);
    if (child.size !== size)
      throw new MalformedFileError(`the node ${cid} has ${child.size} bytes where its parent says ${size}`);
    await copyRange(child, position + start, range, target, fetch, depth + 1);
  }
}

async function fetchBlock(cid: CID, fetch: Fetch): Promise<Uint8Array> {
  if (cid.code !== raw.code && cid.code !== dagPb.code) {
    throw new MalformedFileError(`the node ${cid} has the codec 0x${cid.code.toString(16)}`);
  }
  return cid.multihash.code === IDENTITY ? cid.multihash.digest : fetch(cid);
}

function decodeNode(cid: CID, block: Uint8Array): Node {
  if (cid.code === raw.code) return { size: block.length, data: block, children: [] };
  let links: dagPb.PBLink[];
  let file: UnixFS;
  try {
    const node = dagPb.decode(block);
    links = node.Links;
    file = UnixFS.unmarshal(node.Data ?? new Uint8Array(0));
  } catch (error) {
    throw new MalformedFileError(`the node ${cid} is not UnixFS: ${(error as Error).message}`, { cause: error });
  }
  if (file.type !== 'file' && file.type !== 'raw') throw new MalformedFileError(`it is a ${file.type}`);
  if (links.length !== file.blockSizes.length) {
    throw new MalformedFileError(`the node ${cid} has ${links.length} links and ${file.blockSizes.length} sizes`);
  }
  const data = file.data ?? new Uint8Array(0);
  let size = data.length;
  const children = links.map(({ Hash }, i) => {
    const child = { cid: Hash, start: size, size: Number(file.blockSizes[i]) };
    size += child.size;
    return child;
  });
  if (!Number.isSafeInteger(size)) throw new MalformedFileError(`it claims a size of ${size} bytes`);
  return { size, data, children };
}

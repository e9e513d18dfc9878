import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { HttpError } from '../http/index.ts';
import { isRaw, type BlockReader } from './block-reader.ts';
import { findEntry } from './directory.ts';
import { DAG_PB, decodeUnixFs, isDirectory } from './node.ts';

export interface Resolved {
  cid: CID;
  bytes: Uint8Array;
  /** CIDs of the root and of the block in which each segment ended: X-Ipfs-Roots. */
  roots: CID[];
}

/**
 * Walks a path from its root: names in directories, fields that are links in DAG-CBOR. The reader remembers the blocks.
 *
 * @throws HttpError 404 that says which part is missing, 501 for a path into the inside of a block
 */
export async function resolvePath(reader: BlockReader, root: CID, segments: readonly string[]): Promise<Resolved> {
  let cid = root;
  let bytes = await reader.get(cid);
  const roots = [root];
  for (let i = 0; i < segments.length;) {
    const step = await stepInto(reader, cid, bytes, segments, i);
    if (step === undefined) throw notFound(root, segments, i);
    for (let inside = 1; inside < step.taken; inside++) roots.push(cid);
    cid = step.cid;
    i += step.taken;
    bytes = await reader.get(cid);
    roots.push(cid);
  }
  return { cid, bytes, roots };
}

async function stepInto(
  reader: BlockReader,
  cid: CID,
  bytes: Uint8Array,
  segments: readonly string[],
  at: number,
): Promise<{ cid: CID; taken: number } | undefined> {
  if (cid.code === DAG_PB) {
    const node = decodeUnixFs(cid, bytes);
    if (!isDirectory(node)) return undefined;
    const entry = await findEntry(reader, node, segments[at]!);
    return entry === undefined ? undefined : { cid: entry, taken: 1 };
  }
  if (cid.code === dagCbor.code) return linkInside(cid, bytes, segments.slice(at));
  if (isRaw(cid)) return undefined;
  throw new HttpError(501, 'CODEC_UNKNOWN', `This gateway knows no paths in the codec 0x${cid.code.toString(16)}`);
}

function linkInside(cid: CID, bytes: Uint8Array, segments: string[]): { cid: CID; taken: number } | undefined {
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
  } catch (error) {
    throw new HttpError(500, 'BLOCK_INVALID', `The block ${cid} is not DAG-CBOR: ${(error as Error).message}`);
  }
  for (const [index, segment] of segments.entries()) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string, unknown>)[segment];
    const link = CID.asCID(value);
    if (link !== null) return { cid: link, taken: index + 1 };
  }
  throw new HttpError(
    501,
    'PATH_INSIDE_BLOCK',
    'A path must end at a link; paths into the inside of a block are not served',
  );
}

function notFound(root: CID, segments: readonly string[], at: number): HttpError {
  const missing = segments[at]!;
  return new HttpError(
    404,
    'PATH_NOT_FOUND',
    `There is no ${JSON.stringify(missing)} under /ipfs/${[root.toString(), ...segments.slice(0, at)].join('/')}`,
  );
}

import * as dagCbor from '@ipld/dag-cbor';
import * as dagPb from '@ipld/dag-pb';
import { exporter } from 'ipfs-unixfs-exporter';
import type { ReadableStorage } from 'ipfs-unixfs-exporter';
import type { PeerId } from '@libp2p/interface';
import { createUnsafe } from 'multiformats/block';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { WorkswapError } from '../../sdk/protocol/index.ts';

export interface GetBlockOptions {
  signal?: AbortSignal;
  /** Peers to ask first. */
  peers?: PeerId[];
}

export type GetBlock = (cid: CID, options?: GetBlockOptions) => Promise<Uint8Array>;

/** The CID names something else than a file's bytes: a directory, a malformed node, a codec without files. */
export class NotAFileError extends WorkswapError {
  readonly cid: string;

  constructor(cid: CID, reason: string, cause?: unknown) {
    super('NOT_A_FILE', `${cid.toString()} is not a file: ${reason}`, { fault: 'consumer', cause });
    this.cid = cid.toString();
  }
}

/** A file inside IPFS: one raw block, or a UnixFS file of many. */
export interface StoredFile {
  size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export async function openFile(cid: CID, getBlock: GetBlock, options: GetBlockOptions = {}): Promise<StoredFile> {
  const storage: ReadableStorage = {
    async *get(child: CID) {
      yield await getBlock(child, options);
    },
  };
  const entry = await exporter(cid, storage).catch((error: unknown) => {
    throw asFileError(cid, error);
  });
  if (entry.type !== 'file' && entry.type !== 'raw' && entry.type !== 'identity') {
    throw new NotAFileError(cid, `it is a ${entry.type}`);
  }
  const size = Number(entry.size);
  if (!Number.isSafeInteger(size)) throw new NotAFileError(cid, `it claims a size of ${entry.size} bytes`);
  return {
    size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const bytes = new Uint8Array(wanted);
      let filled = 0;
      if (wanted === 0) return bytes;
      try {
        for await (const chunk of entry.content({ offset, length: wanted })) {
          bytes.set(chunk.subarray(0, wanted - filled), filled);
          filled += Math.min(chunk.length, wanted - filled);
        }
      } catch (error) {
        throw asFileError(cid, error);
      }
      if (filled < wanted) throw new NotAFileError(cid, `it has ${filled} bytes where it claims ${wanted}`);
      return bytes;
    },
  };
}

/** Errors of fetching pass as they are; anything else is the file's own fault. */
function asFileError(cid: CID, error: unknown): Error {
  if (error instanceof WorkswapError) return error;
  const { name, message } = error as Error;
  const isFetch = name === 'AbortError' || name === 'TimeoutError' || name === 'NotFoundError';
  return isFetch ? (error as Error) : new NotAFileError(cid, message, error);
}

const LINKED_CODECS = new Map<number, typeof dagPb | typeof dagCbor | typeof raw>([
  [dagPb.code, dagPb],
  [dagCbor.code, dagCbor],
  [raw.code, raw],
]);

/** Blocks under way at once while a DAG is fetched. */
const FETCH_PARALLEL = 16;

/** Fetches every block below `root`, level by level. Blocks of a codec that we do not know have no links. */
export async function fetchDag(
  root: CID,
  getBlock: GetBlock,
  options: GetBlockOptions = {},
): Promise<{ blocks: number; bytes: number }> {
  const seen = new Set([root.toString()]);
  const fetched = { blocks: 0, bytes: 0 };
  for (let level = [root]; level.length > 0;) {
    const below: CID[] = [];
    const rest = level.values();
    const fetchRest = async (): Promise<void> => {
      for (const cid of rest) {
        const bytes = await getBlock(cid, options);
        fetched.blocks++;
        fetched.bytes += bytes.length;
        for (const link of linksOf(cid, bytes)) {
          if (seen.has(link.toString())) continue;
          seen.add(link.toString());
          below.push(link);
        }
      }
    };
    await Promise.all(Array.from({ length: FETCH_PARALLEL }, fetchRest));
    level = below;
  }
  return fetched;
}

export function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  const codec = LINKED_CODECS.get(cid.code);
  if (codec === undefined) return [];
  const block = createUnsafe({ bytes, cid, codec });
  return [...block.links()].map(([, link]) => CID.asCID(link)!);
}

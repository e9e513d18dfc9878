import type { PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { linksOf } from './links.ts';
import { MalformedFileError, openUnixFsFile } from './unixfs-file.ts';

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
  const asFileError = (error: unknown): never => {
    throw error instanceof MalformedFileError ? new NotAFileError(cid, error.message, error) : error;
  };
  const file = await openUnixFsFile(cid, (child) => getBlock(child, options)).catch(asFileError);
  return { size: file.size, read: (offset, length) => file.read(offset, length).catch(asFileError) };
}

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

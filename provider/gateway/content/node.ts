import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { HttpError } from '../http/index.ts';

export interface UnixFsNode {
  cid: CID;
  links: dagPb.PBLink[];
  unixfs: UnixFS;
}

/** @throws HttpError when the block is not a UnixFS node */
export function decodeUnixFs(cid: CID, bytes: Uint8Array): UnixFsNode {
  try {
    const { Links, Data } = dagPb.decode(bytes);
    return { cid, links: Links, unixfs: UnixFS.unmarshal(Data ?? new Uint8Array(0)) };
  } catch (error) {
    const reason = (error as Error).message;
    throw new HttpError(500, 'NOT_UNIXFS', `The block ${cid} is not UnixFS: ${reason}. Ask for it with ?format=raw`);
  }
}

export function isDirectory({ unixfs }: UnixFsNode): boolean {
  return unixfs.type === 'directory' || unixfs.type === 'hamt-sharded-directory';
}

export const DAG_PB = dagPb.code;

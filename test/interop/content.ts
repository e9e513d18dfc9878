import { createCipheriv, createHash } from 'node:crypto';
import type { Blockstore } from 'interface-blockstore';
import { importer } from 'ipfs-unixfs-importer';
import { balanced } from 'ipfs-unixfs-importer/layout';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import type { FileShape } from './block-peer.ts';

/** Blocks that both ends can make from a few numbers. */
export interface BlockSet {
  seed: number;
  count: number;
  size: number;
  version: 0 | 1;
  codec: number;
}

export interface Block {
  cid: CID;
  bytes: Uint8Array;
}

/** The AES-CTR key stream of a seed and a number: random bytes that Go makes just as fast. */
export function keyStream(seed: number, number: number, length: number): Uint8Array {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(number);
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(length));
}

export function makeBlocks({ seed, count, size, version, codec }: BlockSet): Block[] {
  return Array.from({ length: count }, (_, number) => {
    const bytes = keyStream(seed, number, size);
    const digest = Digest.create(0x12, createHash('sha256').update(bytes).digest());
    return { cid: version === 0 ? CID.createV0(digest) : CID.createV1(codec, digest), bytes };
  });
}

/** Adds a UnixFS file as `ipfs add` does. Returns its root and the base64 SHA-256 of its content. */
export async function addFile(
  store: Blockstore,
  { seed, size, chunk, version }: FileShape,
): Promise<{ root: CID; sha256: string }> {
  const content = keyStream(seed, 0, size);
  const options = {
    cidVersion: version,
    rawLeaves: version === 1,
    chunker: fixedSize({ chunkSize: chunk }),
    layout: balanced({ maxChildrenPerNode: 174 }),
  };
  let root: CID | undefined;
  for await (const entry of importer([{ content }], store, options)) root = entry.cid;
  return { root: root as CID, sha256: sha256Base64(content) };
}

export function sha256Base64(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

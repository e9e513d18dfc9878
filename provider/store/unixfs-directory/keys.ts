import { hash } from 'node:crypto';
import { CID } from 'multiformats/cid';

/**
 * A binary CID, one character a byte. A directory of 100,000 entries holds as many of them: a string takes a third of the
 * memory of a CID, is compared by the engine and is a key of a Map as it is.
 */
export type Key = string;

export const KEY_LENGTH = 36;
const RAW = 0x55;
const DAG_PB = 0x70;
const PREFIX = { raw: '\x01\x55\x12\x20', node: '\x01\x70\x12\x20' };

export function keyOf(kind: 'raw' | 'node', bytes: Uint8Array): Key {
  return PREFIX[kind] + hash('sha256', bytes, 'binary');
}

export function isRawKey(key: Key): boolean {
  return key.charCodeAt(1) === RAW;
}

/** CIDv1, sha2-256, raw or dag-pb. */
export function isKey(key: string): boolean {
  return key.length === KEY_LENGTH && (key.startsWith(PREFIX.raw) || key.startsWith(PREFIX.node));
}

export function cidOfKey(key: Key): CID {
  return CID.decode(Buffer.from(key, 'latin1'));
}

/** The CID as a key, whatever its codec. */
export function keyOfCid(cid: CID): Key {
  const { buffer, byteOffset, byteLength } = cid.bytes;
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

export function isNodeCid(cid: CID): boolean {
  return cid.code === DAG_PB && isKey(keyOfCid(cid));
}

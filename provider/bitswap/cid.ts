import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { DIGEST_BYTES_MIN } from '../store/index.ts';
import { CID_BYTES_MAX } from './constants.ts';
import { type Cursor, readVarint, varintLength, writeVarint } from './wire/varint.ts';

/** Bytes as a string of the same length: the cheapest key of a Map in Node. */
export function bytesKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

const IDENTITY = 0x00;
const SHA2_256 = 0x12;
const DAG_PB = 0x70;

/** A CID as it came over the wire, taken apart and checked. */
export interface WireCid {
  version: 0 | 1;
  codec: number;
  hashCode: number;
  digestLength: number;
  /** Where the multihash begins in the bytes of the CID. */
  multihashOffset: number;
}

/**
 * Takes a CID from the wire apart. Undefined for everything that we would never serve or store: not a CID, trailing
 * bytes, too long, identity, a digest too short to trust.
 */
export function parseWireCid(bytes: Uint8Array): WireCid | undefined {
  if (bytes.length > CID_BYTES_MAX || bytes.length < DIGEST_BYTES_MIN + 2) return undefined;
  if (bytes[0] === SHA2_256 && bytes[1] === 32) {
    if (bytes.length !== 34) return undefined;
    return { version: 0, codec: DAG_PB, hashCode: SHA2_256, digestLength: 32, multihashOffset: 0 };
  }
  const cursor: Cursor = { bytes, offset: 0, end: bytes.length };
  try {
    if (readVarint(cursor) !== 1) return undefined;
    const codec = readVarint(cursor);
    const multihashOffset = cursor.offset;
    const hashCode = readVarint(cursor);
    const digestLength = readVarint(cursor);
    if (cursor.offset + digestLength !== bytes.length) return undefined;
    if (hashCode === IDENTITY || digestLength < DIGEST_BYTES_MIN) return undefined;
    return { version: 1, codec, hashCode, digestLength, multihashOffset };
  } catch {
    return undefined;
  }
}

/** The `prefix` of a block: the CID without its digest, so that the receiver can build the very CID it asked for. */
export function encodePrefix(cid: Prefix): Uint8Array {
  const fields = [cid.version, cid.codec, cid.hashCode, cid.digestLength];
  const prefix = new Uint8Array(fields.reduce((sum, field) => sum + varintLength(field), 0));
  let offset = 0;
  for (const field of fields) offset = writeVarint(prefix, offset, field);
  return prefix;
}

export interface Prefix {
  version: number;
  codec: number;
  hashCode: number;
  digestLength: number;
}

/** Reads exactly four varints and nothing after them. Undefined when it is anything else. */
export function parsePrefix(bytes: Uint8Array): Prefix | undefined {
  const cursor: Cursor = { bytes, offset: 0, end: bytes.length };
  try {
    const version = readVarint(cursor);
    const codec = readVarint(cursor);
    const hashCode = readVarint(cursor);
    const digestLength = readVarint(cursor);
    if (cursor.offset !== bytes.length || version > 1) return undefined;
    if (version === 0 && (codec !== DAG_PB || hashCode !== SHA2_256 || digestLength !== 32)) return undefined;
    return { version, codec, hashCode, digestLength };
  } catch {
    return undefined;
  }
}

/** What the raw blocks of Bitswap 1.0 are. */
export const CID_V0_PREFIX: Prefix = { version: 0, codec: DAG_PB, hashCode: SHA2_256, digestLength: 32 };

/** A multiformats CID with bytes of its own. `bytes` must have passed `parseWireCid`. */
export function cidFromWire(bytes: Uint8Array, parsed: WireCid): CID {
  const multihash = Digest.decode(bytes.slice(parsed.multihashOffset));
  return parsed.version === 0
    ? CID.createV0(multihash as Parameters<typeof CID.createV0>[0])
    : CID.createV1(parsed.codec, multihash);
}

export function isIdentity(cid: CID): boolean {
  return cid.multihash.code === IDENTITY;
}

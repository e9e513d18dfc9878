import { hash } from 'node:crypto';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';

export const DAG_CBOR_CODE = 0x71;
export const RAW_CODE = 0x55;
export const SHA2_256_CODE = 0x12;

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

/** The CIDv1 (sha2-256) of a DAG-CBOR block. */
export function dagCborCid(bytes: Uint8Array): CID {
  return CID.createV1(DAG_CBOR_CODE, Digest.create(SHA2_256_CODE, sha256(bytes)));
}

/** The CIDv1 (sha2-256) of bytes as they are: a handler of one block, or a job's output. */
export function rawCid(bytes: Uint8Array): CID {
  return CID.createV1(RAW_CODE, Digest.create(SHA2_256_CODE, sha256(bytes)));
}

import { JobEnd } from '../errors.ts';
import { ABI_LIMITS } from './limits.ts';

const CODEC_RAW = 0x55;
const CODEC_DAG_PB = 0x70;
const HASH_IDENTITY = 0x00;
const HASH_SHA2_256 = 0x12;

/**
 * Checks a binary CID as the ABI defines it, without looking at the network, so that every provider gives the same
 * answer: CIDv0 or CIDv1, raw or dag-pb, sha2-256 or identity, nothing after the digest. All varints of these codes fit
 * in one byte, the identity digest's length as well (at most 127).
 */
export function assertCid(bytes: Uint8Array): void {
  if (bytes.length === 34 && bytes[0] === HASH_SHA2_256 && bytes[1] === 32) return;
  if (bytes.length > ABI_LIMITS.cidBytesMax || bytes.length < 4 || bytes[0] !== 1) throw invalid('not a CID');
  const codec = bytes[1];
  if (codec !== CODEC_RAW && codec !== CODEC_DAG_PB) throw invalid(`codec ${codec} is neither raw nor dag-pb`);
  const hash = bytes[2];
  const length = bytes[3] ?? 0;
  if (hash !== HASH_SHA2_256 && hash !== HASH_IDENTITY) throw invalid(`hash ${hash} is neither sha2-256 nor identity`);
  if (length > 127 || bytes.length !== 4 + length) throw invalid('the digest has another length than it says');
  if (hash === HASH_SHA2_256 && length !== 32) throw invalid('a sha2-256 digest has 32 bytes');
}

function invalid(reason: string): JobEnd {
  return new JobEnd('INVALID_CID', `The handler asked for a block by an invalid CID: ${reason}.`);
}

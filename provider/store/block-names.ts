import { base32upper } from 'multiformats/bases/base32';
import type { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';

type Multihash = CID['multihash'];

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SHA2_256 = 0x12;
const DIGEST_BYTES = 32;
/** Base32 without its prefix, of a sha2-256 multihash. */
const NAME_LENGTH = 55;

const VALUES = new Uint8Array(128).fill(0xff);
for (const [value, letter] of [...ALPHABET].entries()) VALUES[letter.charCodeAt(0)] = value;

const bytes = new Uint8Array(2 + DIGEST_BYTES);
const sha256: Multihash = { code: SHA2_256, size: DIGEST_BYTES, digest: bytes.subarray(2), bytes };

/**
 * The multihash that a block's file is named after (upper-case base32, as blockstore-fs writes it); undefined for other
 * files. It is only valid until the next call: a store has millions of them, and an array for each would be a lot of
 * garbage.
 */
export function multihashOfName(name: string): Multihash | undefined {
  if (name.length !== NAME_LENGTH + 1) return decode(name);
  let value = 0;
  let bits = 0;
  let at = 0;
  for (let i = 1; i < name.length; i++) {
    const five = VALUES[name.charCodeAt(i) & 0x7f]!;
    if (five === 0xff || name.charCodeAt(i) > 0x7f) return undefined;
    value = (value << 5) | five;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = value >>> bits;
    value &= (1 << bits) - 1;
  }
  const isSha256 = bytes[0] === SHA2_256 && bytes[1] === DIGEST_BYTES && value === 0 && name.startsWith('B');
  return isSha256 ? sha256 : decode(name);
}

function decode(name: string): Multihash | undefined {
  try {
    return Digest.decode(base32upper.decode(name));
  } catch {
    return undefined;
  }
}

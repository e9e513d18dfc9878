import { createHash, hash } from 'node:crypto';
/** boxo's verifcid refuses shorter digests: they can be forged. */
export const DIGEST_BYTES_MIN = 20;

/** The full digest of a block. A longer digest than asked for is truncated, as multihash allows. */
export type Hasher = (bytes: Uint8Array) => Uint8Array;

/** A peer chooses the hash function of what it sends, so only functions on this list are ever run. */
const OPENSSL_NAMES: ReadonlyMap<number, string> = new Map([
  [0x11, 'sha1'],
  [0x12, 'sha256'],
  [0x13, 'sha512'],
  [0x14, 'sha3-512'],
  [0x15, 'sha3-384'],
  [0x16, 'sha3-256'],
  [0x17, 'sha3-224'],
  [0x20, 'sha384'],
  [0xb240, 'blake2b512'],
  [0xb260, 'blake2s256'],
]);

/** Above this size node:crypto's one-shot hash gains nothing over a Hash object, below it is twice as fast. */
const ONE_SHOT_BYTES_MAX = 64 * 1024;

function opensslHasher(name: string): Hasher {
  return (bytes) =>
    bytes.length <= ONE_SHOT_BYTES_MAX ? hash(name, bytes, 'buffer') : createHash(name).update(bytes).digest();
}

export class Hashers {
  readonly #hashers = new Map<number, Hasher>();

  /** @param extra functions that node:crypto does not have, by multihash code (blake3 is 0x1e). */
  constructor(extra: ReadonlyMap<number, Hasher> = new Map()) {
    for (const [code, name] of OPENSSL_NAMES) this.#hashers.set(code, opensslHasher(name));
    for (const [code, hasher] of extra) this.#hashers.set(code, hasher);
  }

  supports(code: number, digestLength: number): boolean {
    return digestLength >= DIGEST_BYTES_MIN && this.#hashers.has(code);
  }

  /** The digest of exactly `digestLength` bytes, or undefined when the function is not on the list or too short. */
  digest(code: number, digestLength: number, bytes: Uint8Array): Uint8Array | undefined {
    if (digestLength < DIGEST_BYTES_MIN) return undefined;
    const full = this.#hashers.get(code)?.(bytes);
    if (full === undefined || full.length < digestLength) return undefined;
    return full.length === digestLength ? full : full.subarray(0, digestLength);
  }
}

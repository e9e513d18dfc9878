import { hash, randomBytes } from 'node:crypto';
import type { CID } from 'multiformats/cid';

const SLOT_BITS_MIN = 10;
const WORDS = 4;
/** Shorter digests, and those of the identity function, are chosen freely by whoever writes them: they are hashed. */
const DIGEST_BYTES_MIN = 16;
const IDENTITY = 0x00;
/**
 * Odd, and known to nobody: a link may name any digest, also one that no block has, so whoever knew where digests go could
 * send thousands of them to one place.
 */
const MULTIPLIERS = Int32Array.from({ length: WORDS }, () => randomBytes(4).readInt32LE() | 1);

/**
 * A set of blocks in 16 bytes for each slot: the last 128 bits of their digests, in a table with open addressing. A
 * million of them take 32 MiB, where a Set of strings takes 150. Two blocks are mixed up only by whoever finds a
 * collision of 128 bits, among his own blocks.
 */
export class DigestSet {
  #words = new Int32Array(WORDS << SLOT_BITS_MIN);
  #shift = 32 - SLOT_BITS_MIN;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Under `salt` the same digest is another member: for blocks that are read in more than one way. False when it was there. */
  add(multihash: CID['multihash'], salt = 0): boolean {
    if (this.#size * 5 > (this.#words.length / WORDS) * 3) this.#grow();
    // Only now: growing uses the same words.
    const slot = this.#find(wordsOf(multihash, salt));
    if (!this.#isEmpty(slot)) return false;
    this.#words.set(found, slot);
    this.#size++;
    return true;
  }

  has(multihash: CID['multihash'], salt = 0): boolean {
    return !this.#isEmpty(this.#find(wordsOf(multihash, salt)));
  }

  /** The slot that has these words, or the empty one where they belong. */
  #find(words: Int32Array): number {
    const mask = this.#words.length - 1;
    let sum = 0;
    for (let i = 0; i < WORDS; i++) sum = (sum + Math.imul(MULTIPLIERS[i]!, words[i]!)) | 0;
    let slot = (sum >>> this.#shift) * WORDS;
    while (!this.#isEmpty(slot) && !this.#equals(slot, words)) slot = (slot + WORDS) & mask;
    return slot;
  }

  #isEmpty(slot: number): boolean {
    const all = this.#words;
    return (all[slot]! | all[slot + 1]! | all[slot + 2]! | all[slot + 3]!) === 0;
  }

  #equals(slot: number, words: Int32Array): boolean {
    const all = this.#words;
    for (let i = 0; i < WORDS; i++) if (all[slot + i] !== words[i]) return false;
    return true;
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Int32Array(before.length * 2);
    this.#shift--;
    for (let at = 0; at < before.length; at += WORDS) {
      for (let i = 0; i < WORDS; i++) found[i] = before[at + i]!;
      // The last bit of every member is set.
      if (found[WORDS - 1] !== 0) this.#words.set(found, this.#find(found));
    }
    // Half as much again would wait for V8 to collect it.
    before.buffer.transfer(0);
  }
}

/** Of the digest that was looked at last: there is no need to make one for each. */
const found = new Int32Array(WORDS);
const foundBytes = new Uint8Array(found.buffer);

function wordsOf({ code, digest, bytes }: CID['multihash'], salt: number): Int32Array {
  const isFree = code === IDENTITY || digest.length < DIGEST_BYTES_MIN;
  const source = isFree ? hash('sha256', bytes, 'buffer') : digest;
  foundBytes.set(source.subarray(source.length - DIGEST_BYTES_MIN));
  found[1]! ^= salt;
  // All zeros mark an empty slot.
  found[3]! |= 1;
  return found;
}

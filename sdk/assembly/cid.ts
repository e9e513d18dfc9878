import { allocate } from './bytes';

/** One block of bytes. */
export const CODEC_RAW: i32 = 0x55;
/** A UnixFS file or directory. */
export const CODEC_DAG_PB: i32 = 0x70;

const HASH_IDENTITY: i32 = 0x00;
const HASH_SHA2_256: i32 = 0x12;
const SHA2_256_BYTES: i32 = 32;
/** Longer than any CID that is accepted, in its longest form. */
const TEXT_MAX: i32 = 256;
/** What the host takes. */
const BYTES_MAX: i32 = 128;

// Functions and not constants: a handler that uses no CID does not carry the alphabets.
function base32(): string {
  return 'abcdefghijklmnopqrstuvwxyz234567';
}

function base58(): string {
  return '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
}

/** The name of an IPFS file or block: made of its content's hash. */
export class Cid {
  private constructor(
    /** The binary form. */
    public bytes: Uint8Array,
    public codec: i32,
  ) {}

  /**
   * Reads a CID as people write it: `b...` (base32), `z...` or `Qm...` (base58). Null for anything else, also for a CID
   * that names no file or block of bytes, or by a hash other than SHA-256 or identity: the host would refuse it.
   */
  static parse(text: string): Cid | null {
    if (text.length < 2 || text.length > TEXT_MAX) return null;
    let bytes: Uint8Array | null;
    if (text.length == 46 && text.startsWith('Qm')) bytes = decodeBase58(text, 0);
    else if (text.charCodeAt(0) == 0x62) bytes = decodeBase32(text, 1);
    else if (text.charCodeAt(0) == 0x7a) bytes = decodeBase58(text, 1);
    else return null;
    return bytes === null ? null : Cid.from(bytes);
  }

  /** The CID in this binary form, or null under the same rules. */
  static from(bytes: Uint8Array): Cid | null {
    const length = bytes.byteLength;
    const at = bytes.dataStart;
    if (length == 34 && load<u8>(at) == HASH_SHA2_256 && load<u8>(at, 1) == SHA2_256_BYTES) {
      return new Cid(bytes, CODEC_DAG_PB);
    }
    if (length < 4 || length > BYTES_MAX || load<u8>(at) != 1) return null;
    // Every number in an acceptable CID is below 128, so each is one byte.
    const codec: i32 = load<u8>(at, 1);
    const hash: i32 = load<u8>(at, 2);
    const digestLength: i32 = load<u8>(at, 3);
    if (codec != CODEC_RAW && codec != CODEC_DAG_PB) return null;
    if (digestLength > 127 || length != 4 + digestLength) return null;
    if (hash == HASH_SHA2_256 ? digestLength != SHA2_256_BYTES : hash != HASH_IDENTITY) return null;
    return new Cid(bytes, codec);
  }

  /** Base32, or base58 for version 0: the form that gateways and tools print. */
  toString(): string {
    return load<u8>(this.bytes.dataStart) == 1 ? 'b' + encodeBase32(this.bytes) : encodeBase58(this.bytes);
  }
}

function decodeBase32(text: string, start: i32): Uint8Array | null {
  const digits = text.length - start;
  const bytes = new Uint8Array((digits * 5) >> 3);
  let bits: u32 = 0;
  let held = 0;
  let at = 0;
  for (let i = start; i < text.length; i++) {
    const value = base32().indexOf(text.charAt(i));
    if (value < 0) return null;
    bits = (bits << 5) | value;
    held += 5;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = <u8>(bits >> held);
    }
  }
  // One CID, one text: no digit too many, and nothing but zeros in what is left over.
  return held < 5 && (bits & ((1 << held) - 1)) == 0 ? bytes : null;
}

function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits: u32 = 0;
  let held = 0;
  for (let i = 0; i < bytes.length; i++) {
    bits = (bits << 8) | bytes[i];
    for (held += 8; held >= 5;) {
      held -= 5;
      text += base32().charAt((bits >> held) & 31);
    }
  }
  return held == 0 ? text : text + base32().charAt((bits << (5 - held)) & 31);
}

/** `digits` of base `from`, most significant first, as those of base `to`, without leading zeros. */
function convert(digits: Uint8Array, from: i32, to: i32): Uint8Array {
  // Base 58 needs fewer bits than there are in a byte, so twice the length is room enough in either direction.
  const result = new Uint8Array(digits.length * 2);
  let length = 0;
  for (let i = 0; i < digits.length; i++) {
    let carry: i32 = digits[i];
    for (let j = 0; j < length; j++) {
      carry += <i32>result[result.length - 1 - j] * from;
      result[result.length - 1 - j] = <u8>(carry % to);
      carry /= to;
    }
    for (; carry > 0; carry /= to) result[result.length - ++length] = <u8>(carry % to);
  }
  return result.subarray(result.length - length);
}

function decodeBase58(text: string, start: i32): Uint8Array | null {
  const digits = new Uint8Array(text.length - start);
  let zeros = 0;
  for (let i = 0; i < digits.length; i++) {
    const value = base58().indexOf(text.charAt(start + i));
    if (value < 0) return null;
    if (value == 0 && zeros == i) zeros++;
    digits[i] = <u8>value;
  }
  const number = convert(digits, 58, 256);
  const bytes = Uint8Array.wrap(allocate(zeros + number.length));
  bytes.fill(0, 0, zeros);
  bytes.set(number, zeros);
  return bytes;
}

function encodeBase58(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length && bytes[i] == 0; i++) text += '1';
  const digits = convert(bytes, 256, 58);
  for (let i = 0; i < digits.length; i++) text += base58().charAt(digits[i]);
  return text;
}

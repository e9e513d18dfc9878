import { decode as decodeVarint, encode as encodeVarint, encodingLength } from 'uint8-varint';
import { PADDED_BYTES_MIN } from './limits.ts';

/**
 * The size that something is padded to: Padmé (Nikitin and others, "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", 2019), which leaves only the upper bits of a length standing. It costs at most 12 percent, and
 * what is left of the length is O(log log length) bits.
 */
export function paddedSize(bytes: number): number {
  if (bytes <= PADDED_BYTES_MIN) return PADDED_BYTES_MIN;
  const exponent = Math.floor(Math.log2(bytes));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - kept);
  return Math.ceil(bytes / step) * step;
}

/** Its length as a varint, the content, zeros. */
export function pad(content: Uint8Array): Uint8Array {
  const start = encodingLength(content.length);
  const padded = new Uint8Array(paddedSize(start + content.length));
  padded.set(encodeVarint(content.length) as Uint8Array);
  padded.set(content, start);
  return padded;
}

/** @throws RangeError when it was not padded like that */
export function unpad(padded: Uint8Array): Uint8Array {
  const length = decodeVarint(padded);
  const start = encodingLength(length);
  const content = padded.subarray(start, start + length);
  const isPadded = content.length === length && paddedSize(start + length) === padded.length;
  // Zeros only: nothing else can hide there, and one letter has one form.
  if (!isPadded || padded.subarray(start + length).some((byte) => byte !== 0)) throw new RangeError('it is not padded');
  return content;
}

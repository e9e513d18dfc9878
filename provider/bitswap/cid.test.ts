import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { expect, test } from 'vitest';
import { cidFromWire, encodePrefix, parsePrefix, parseWireCid } from './cid.ts';

const digests = fc.uint8Array({ minLength: 20, maxLength: 64 });

test('every CID that we could serve survives the wire', () => {
  fc.assert(
    fc.property(digests, fc.nat(0xffffff), fc.integer({ min: 1, max: 0xffffff }), (digest, codec, hash) => {
      const cid = CID.createV1(codec, Digest.create(hash, digest));
      const parsed = parseWireCid(cid.bytes);
      expect(parsed).toBeDefined();
      expect(cidFromWire(cid.bytes, parsed!).equals(cid)).toBe(true);
      expect(parsePrefix(encodePrefix(parsed!))).toEqual({
        version: 1,
        codec,
        hashCode: hash,
        digestLength: digest.length,
      });
    }),
  );
});

test('a CIDv0 stays a CIDv0', () => {
  const cid = CID.parse('QmTyXyXoXK1nJrW8YyEDhBvDbi8nRTn2Kv7JbgV1AUmb1d');
  const parsed = parseWireCid(cid.bytes);
  expect(parsed).toMatchObject({ version: 0, codec: 0x70, multihashOffset: 0 });
  expect(cidFromWire(cid.bytes, parsed!).toString()).toBe(cid.toString());
});

test('identity, short digests, overlong CIDs and trailing bytes are not served', () => {
  const make = (code: number, bytes: number): Uint8Array =>
    CID.createV1(0x55, Digest.create(code, new Uint8Array(bytes))).bytes;
  expect(parseWireCid(make(0x00, 32))).toBeUndefined();
  expect(parseWireCid(make(0x12, 19))).toBeUndefined();
  expect(parseWireCid(make(0x12, 200))).toBeUndefined();
  expect(parseWireCid(Uint8Array.of(...make(0x12, 32), 0))).toBeUndefined();
  expect(parseWireCid(new Uint8Array())).toBeUndefined();
});

test('any bytes are a CID or are not, and never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 180 }), (bytes) => {
      const parsed = parseWireCid(bytes);
      if (parsed !== undefined) expect(cidFromWire(bytes, parsed).bytes).toEqual(bytes);
      parsePrefix(bytes);
    }),
    { numRuns: 10_000 },
  );
});

test('a prefix is four varints and not a byte more', () => {
  expect(parsePrefix(Uint8Array.of(1, 0x55, 0x12, 32))).toBeDefined();
  expect(parsePrefix(Uint8Array.of(1, 0x55, 0x12))).toBeUndefined();
  expect(parsePrefix(Uint8Array.of(1, 0x55, 0x12, 32, 0))).toBeUndefined();
  expect(parsePrefix(Uint8Array.of(0, 0x55, 0x12, 32))).toBeUndefined();
  expect(parsePrefix(Uint8Array.of(2, 0x55, 0x12, 32))).toBeUndefined();
});

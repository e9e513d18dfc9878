import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import { expect, test } from 'vitest';
import { assertCid } from './cid.ts';

function accepts(bytes: Uint8Array): boolean {
  try {
    assertCid(bytes);
    return true;
  } catch {
    return false;
  }
}

test('what a handler may ask for is a CID to everybody else too', () => {
  const near = fc
    .record({
      version: fc.constantFrom(0, 1, 2),
      codec: fc.constantFrom(0x55, 0x70, 0x71),
      hash: fc.constantFrom(0x12, 0x00, 0x13),
      length: fc.integer({ min: 0, max: 255 }),
      digest: fc.oneof(fc.uint8Array({ maxLength: 130 }), fc.uint8Array({ minLength: 32, maxLength: 32 })),
      matching: fc.boolean(),
    })
    .map(({ version, codec, hash, length, digest, matching }) =>
      Uint8Array.of(version, codec, hash, matching ? digest.length : length, ...digest),
    );
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 140 })), (bytes) => {
      if (!accepts(bytes)) return;
      accepted += 1;
      const cid = CID.decode(bytes);
      expect(Buffer.compare(cid.bytes, bytes)).toBe(0);
      expect([0x55, 0x70]).toContain(cid.code);
      expect([0x12, 0x00]).toContain(cid.multihash.code);
    }),
    { numRuns: 5000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

test('the usual CIDs are accepted', () => {
  for (const text of [
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
    'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi',
    'bafkreih5ionsxaawtyb2amwdmgimat7rw2capf7zsvg7bugboi3ofbzpia',
    'bafkqaaa',
  ]) {
    expect(accepts(CID.parse(text).bytes), text).toBe(true);
  }
  expect(accepts(CID.parse('bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua').bytes)).toBe(false);
});

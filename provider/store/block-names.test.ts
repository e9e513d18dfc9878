import { NextToLast } from 'blockstore-fs/sharding';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { expect, test } from 'vitest';
import { multihashOfName } from './block-names.ts';

const sharding = new NextToLast();
const nameOf = (cid: CID): string => sharding.encode(cid).file.slice(0, -sharding.extension.length);

test('the name of a block is read as the multihash it was made of, whatever the function', () => {
  const digests = fc.record({
    code: fc.oneof(fc.constant(0x12), fc.constantFrom(0x11, 0x13, 0xb220, 0x1e)),
    digest: fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ minLength: 1, maxLength: 64 })),
  });
  fc.assert(
    fc.property(digests, ({ code, digest }) => {
      const cid = CID.createV1(0x55, Digest.create(code, digest));
      const found = multihashOfName(nameOf(cid))!;
      expect(found.code).toBe(code);
      expect(Buffer.from(found.digest)).toEqual(Buffer.from(digest));
      expect(Buffer.from(found.bytes)).toEqual(Buffer.from(cid.multihash.bytes));
    }),
  );
});

test('a name that no block has is none', () => {
  const name = nameOf(CID.createV1(0x55, Digest.create(0x12, new Uint8Array(32))));
  expect(multihashOfName(name)).toBeDefined();
  for (const bad of ['', 'B', 'x', name.toLowerCase(), name.slice(1), `${name.slice(0, -1)}1`, `C${name.slice(1)}`]) {
    expect({ bad, found: multihashOfName(bad) }).toEqual({ bad, found: undefined });
  }
});

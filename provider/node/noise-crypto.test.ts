import { pureJsCrypto } from '@chainsafe/libp2p-noise';
import fc from 'fast-check';
import { Uint8ArrayList } from 'uint8arraylist';
import { expect, test } from 'vitest';
import { nodeCrypto } from './noise-crypto.ts';

type Bytes = Parameters<typeof nodeCrypto.chaCha20Poly1305Encrypt>[0];

/** As noise hands it over: with a list of an older version of the class, of the same shape. */
const inTwo = (all: Uint8Array, cut: number): Bytes =>
  new Uint8ArrayList(all.subarray(0, cut), all.subarray(cut)) as unknown as Bytes;

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const frame = fc.record({
  plaintext: fc.uint8Array({ maxLength: 5000 }),
  cut: fc.nat(5000),
  nonce: bytes(12),
  key: bytes(32),
  ad: fc.uint8Array({ maxLength: 64 }),
});

test('what the reference implementation seals we open, and it opens what we seal, in one piece and in several', () => {
  fc.assert(
    fc.property(frame, ({ plaintext, cut, nonce, key, ad }) => {
      const sealed = Uint8Array.from(
        nodeCrypto.chaCha20Poly1305Encrypt(inTwo(plaintext, cut), nonce, ad, key).subarray(),
      );
      expect(sealed).toEqual(pureJsCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key).subarray());
      const opened = nodeCrypto.chaCha20Poly1305Decrypt(inTwo(sealed, cut), nonce, ad, key);
      expect(Uint8Array.from(opened.subarray())).toEqual(plaintext);
    }),
  );
});

test('a frame with any one byte changed does not open, whatever stands in dst', () => {
  fc.assert(
    fc.property(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ plaintext, nonce, key, ad }, at, change) => {
      const sealed = Uint8Array.from(nodeCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key).subarray());
      sealed[at % sealed.length]! ^= change;
      const dst = sealed.subarray(0, plaintext.length);
      expect(() => nodeCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, key)).toThrow();
      expect(() => nodeCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, key, dst)).toThrow();
    }),
  );
});

test('keys, shared secrets, hashes and key derivation are those of the reference implementation', () => {
  fc.assert(
    fc.property(bytes(32), bytes(32), fc.uint8Array({ maxLength: 32 }), (seed, chainingKey, input) => {
      const pair = nodeCrypto.generateX25519KeyPairFromSeed(seed);
      const expected = pureJsCrypto.generateX25519KeyPairFromSeed(seed);
      expect(Uint8Array.from(pair.publicKey.subarray())).toEqual(expected.publicKey);
      const other = nodeCrypto.generateX25519KeyPair();
      const secret = Uint8Array.from(nodeCrypto.generateX25519SharedKey(pair.privateKey, other.publicKey));
      expect(secret).toEqual(pureJsCrypto.generateX25519SharedKey(other.privateKey, expected.publicKey));
      expect(nodeCrypto.getHKDF(chainingKey, input)).toEqual(pureJsCrypto.getHKDF(chainingKey, input));
      expect(Uint8Array.from(nodeCrypto.hashSHA256(input))).toEqual(pureJsCrypto.hashSHA256(input));
    }),
    { numRuns: 30 },
  );
});

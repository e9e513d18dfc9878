import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import type { NoiseInit } from '@chainsafe/libp2p-noise';
import { Uint8ArrayList } from 'uint8arraylist';
import { markOurs } from './spent-buffers.ts';

type NoiseCrypto = NonNullable<NoiseInit['crypto']>;
type Bytes = Parameters<NoiseCrypto['chaCha20Poly1305Encrypt']>[0];
/** Noise's own list is of an older version of the class, of the same shape. */
type List = Exclude<Bytes, Uint8Array>;

const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES };
/** What stands before the 32 bytes of an X25519 key in PKCS #8 and in SPKI (RFC 8410). */
const PRIVATE_KEY_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_KEY_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** OpenSSL's key for a cipher key that noise holds: to make one costs three times as much as to seal a small frame. */
const keys = new WeakMap<Uint8Array, KeyObject>();

function keyObject(key: Uint8Array): KeyObject {
  let object = keys.get(key);
  if (object === undefined) {
    object = createSecretKey(key);
    keys.set(key, object);
  }
  return object;
}

function parts(bytes: Bytes): Iterable<Uint8Array> {
  return bytes instanceof Uint8Array ? [bytes] : bytes;
}

/** From this size on a list of the parts costs less than one more buffer to copy them into. */
const LIST_BYTES_MIN = 4096;

function whole(parts: Uint8Array[], length: number): Uint8Array | List {
  if (parts.length === 1) return parts[0] as Uint8Array;
  return length < LIST_BYTES_MIN ? Buffer.concat(parts, length) : (new Uint8ArrayList(...parts) as unknown as List);
}

function publicKeyOf(privateKey: KeyObject): Uint8Array {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return spki.subarray(PUBLIC_KEY_PREFIX.length);
}

function privateKeyFrom(bytes: Bytes): KeyObject {
  const key = Buffer.concat([PRIVATE_KEY_PREFIX, bytes.subarray()]);
  return createPrivateKey({ key, type: 'pkcs8', format: 'der' });
}

/**
 * The cryptography of noise on node:crypto alone. The library's own choice makes a key object for each frame and uses
 * WebAssembly for small ones; a connection needs one key object in each direction.
 */
export const nodeCrypto: NoiseCrypto = {
  hashSHA256(data) {
    const hash = createHash('sha256');
    for (const part of parts(data)) hash.update(part);
    return hash.digest();
  },

  getHKDF(chainingKey, input) {
    const output = new Uint8Array(hkdfSync('sha256', input, chainingKey, new Uint8Array(0), 96));
    return [output.subarray(0, 32), output.subarray(32, 64), output.subarray(64)];
  },

  generateX25519KeyPair() {
    const { privateKey } = generateKeyPairSync('x25519');
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
    return { privateKey: pkcs8.subarray(PRIVATE_KEY_PREFIX.length), publicKey: publicKeyOf(privateKey) };
  },

  generateX25519KeyPairFromSeed(seed) {
    return { privateKey: seed, publicKey: publicKeyOf(privateKeyFrom(seed)) };
  },

  generateX25519SharedKey(privateKey, publicKey) {
    const spki = Buffer.concat([PUBLIC_KEY_PREFIX, publicKey.subarray()]);
    return diffieHellman({
      privateKey: privateKeyFrom(privateKey),
      publicKey: createPublicKey({ key: spki, type: 'spki', format: 'der' }),
    });
  },

  chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) {
    const cipher = createCipheriv(CIPHER, keyObject(key), nonce, OPTIONS);
    if (ad.length > 0) cipher.setAAD(ad, { plaintextLength: plaintext.byteLength });
    const sealed: Uint8Array[] = [];
    for (const part of parts(plaintext)) {
      const piece = cipher.update(part);
      markOurs(piece);
      sealed.push(piece);
    }
    cipher.final();
    sealed.push(cipher.getAuthTag());
    return whole(sealed, plaintext.byteLength + TAG_BYTES);
  },

  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, dst) {
    const length = ciphertext.byteLength - TAG_BYTES;
    if (length < 0) throw new RangeError(`A sealed frame of ${ciphertext.byteLength} bytes is too short for its tag`);
    const decipher = createDecipheriv(CIPHER, keyObject(key), nonce, OPTIONS);
    if (ad.length > 0) decipher.setAAD(ad, { plaintextLength: length });
    decipher.setAuthTag(ciphertext.subarray(length));
    // Noise may give `dst`: the same bytes without the tag, in one piece.
    const sealed =
      dst?.byteLength === length
        ? dst
        : ciphertext instanceof Uint8Array
          ? ciphertext.subarray(0, length)
          : ciphertext.sublist(0, length);
    const plaintext: Uint8Array[] = [];
    for (const part of parts(sealed)) plaintext.push(decipher.update(part));
    decipher.final();
    return whole(plaintext, length);
  },
};

import { hostEd25519Verify, hostSha256 } from './host';

const KEY_BYTES: i32 = 32;
const SIGNATURE_BYTES: i32 = 64;
const SHA256_BYTES: i32 = 32;

/** The SHA-256 digest, computed by the host: much cheaper than in WASM. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(SHA256_BYTES);
  hostSha256(bytes.dataStart, bytes.byteLength, digest.dataStart);
  return digest;
}

/** Whether `signature` (64 bytes) is the Ed25519 signature of `message` by `key` (32 bytes); other lengths never are. */
export function ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): bool {
  if (key.byteLength != KEY_BYTES || signature.byteLength != SIGNATURE_BYTES) return false;
  return hostEd25519Verify(key.dataStart, message.dataStart, message.byteLength, signature.dataStart) != 0;
}

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  const length = bytes.byteLength;
  const text = __new((<usize>length) << 2, idof<string>());
  for (let i = 0; i < length; i++) {
    const byte: i32 = load<u8>(bytes.dataStart + i);
    store<u16>(text + (i << 2), hexDigit(byte >> 4));
    store<u16>(text + (i << 2), hexDigit(byte & 15), 2);
  }
  return changetype<string>(text);
}

function hexDigit(value: i32): i32 {
  return value + (value < 10 ? 0x30 : 0x57);
}

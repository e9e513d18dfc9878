import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';

/**
 * Ed25519 over Node's key objects. libp2p's keys import themselves anew for every signature, which costs as much as the
 * signature; here each key is imported once.
 */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const SEED_BYTES = 32;
const PUBLIC_KEYS_MAX = 256;

const privateKeys = new WeakMap<PrivateKey, KeyObject>();
const publicKeys = new Map<string, KeyObject>();

export function signEd25519(key: PrivateKey, bytes: Uint8Array): Uint8Array {
  let imported = privateKeys.get(key);
  if (imported === undefined) {
    if (key.type !== 'Ed25519') throw new TypeError(`Documents are signed with Ed25519 keys, not ${key.type}`);
    const der = Buffer.concat([PKCS8_PREFIX, key.raw.subarray(0, SEED_BYTES)]);
    imported = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    privateKeys.set(key, imported);
  }
  return new Uint8Array(sign(null, bytes, imported));
}

/** False also when the peer id is malformed or holds a key of another kind. */
export function verifyEd25519(peer: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = publicKeys.get(peer) ?? importPublicKey(peer);
  return key !== undefined && verify(null, bytes, key, signature);
}

function importPublicKey(peer: string): KeyObject | undefined {
  let raw: Uint8Array;
  try {
    const id = peerIdFromString(peer);
    if (id.type !== 'Ed25519') return undefined;
    raw = id.publicKey.raw;
  } catch {
    return undefined;
  }
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  if (publicKeys.size >= PUBLIC_KEYS_MAX) publicKeys.delete(publicKeys.keys().next().value!);
  publicKeys.set(peer, key);
  return key;
}

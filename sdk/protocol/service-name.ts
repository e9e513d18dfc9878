import type { PublicKey } from '@libp2p/interface';
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id';
import { base36 } from 'multiformats/bases/base36';
import { WorkswapError } from './errors.ts';

/** Longer than any IPNS name of an Ed25519 key; nothing longer is looked at. */
export const SERVICE_NAME_LENGTH_MAX = 64;

export class ServiceNameError extends WorkswapError {
  constructor(name: string) {
    super(
      'SERVICE_NAME_INVALID',
      `"${name.slice(0, SERVICE_NAME_LENGTH_MAX)}" is not a service's name: the IPNS name of an Ed25519 key, k51...`,
      { fault: 'consumer' },
    );
  }
}

/** The IPNS name of a service's key: its libp2p-key CID in base 36, `k51...`. */
export function serviceName(key: PublicKey): string {
  return peerIdFromPublicKey(key).toCID().toString(base36);
}

/** Every task of a service is checked for its name: to decode the key takes longer than the rest of the decoding. */
const keys = new Map<string, PublicKey>();
const KEYS_MAX = 256;

/** True only for the one canonical text of a name. */
export function isServiceName(text: string): boolean {
  return canonicalKey(text) !== undefined;
}

/** The public key behind a name. @throws ServiceNameError */
export function serviceKey(name: string): PublicKey {
  const key = canonicalKey(name);
  if (key === undefined) throw new ServiceNameError(name);
  return key;
}

function canonicalKey(name: string): PublicKey | undefined {
  const known = keys.get(name);
  if (known !== undefined || name.length > SERVICE_NAME_LENGTH_MAX) return known;
  const key = keyOf(name);
  if (key === undefined || serviceName(key) !== name) return undefined;
  if (keys.size >= KEYS_MAX) keys.delete(keys.keys().next().value!);
  keys.set(name, key);
  return key;
}

/** The signer of a service's documents, as documents name it: the peer id of its key. */
export function serviceSigner(name: string): string {
  return peerIdFromPublicKey(serviceKey(name)).toString();
}

function keyOf(text: string): PublicKey | undefined {
  try {
    const id = peerIdFromString(text);
    return id.type === 'Ed25519' ? id.publicKey : undefined;
  } catch {
    return undefined;
  }
}

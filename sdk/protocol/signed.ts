import { decode, encode } from '@ipld/dag-cbor';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import type { PrivateKey } from '@libp2p/interface';
import { signEd25519, verifyEd25519 } from './ed25519.ts';
import { WorkswapError } from './errors.ts';

/** A document from a peer that does not hold: wrong shape, wrong key, wrong signature, expired. */
export class DocumentError extends WorkswapError {
  readonly type: string;

  constructor(type: string, reason: string) {
    super('DOCUMENT_INVALID', `The ${type} is not valid: ${reason}`, { fault: 'provider' });
    this.type = type;
  }
}

const DOCUMENT_BYTES_MAX = 64 * 1024;

/** What is signed: the type keeps a signature of one kind of document from being used as another. */
function signedBytes(type: string, payload: Uint8Array): Uint8Array {
  const domain = new TextEncoder().encode(`workswap/${type}/1\n`);
  const bytes = new Uint8Array(domain.length + payload.length);
  bytes.set(domain);
  bytes.set(payload, domain.length);
  return bytes;
}

export function signPayload(type: string, payload: Uint8Array, key: PrivateKey): Uint8Array {
  return signEd25519(key, signedBytes(type, payload));
}

export function verifyPayload(type: string, payload: Uint8Array, signature: Uint8Array, peer: string): boolean {
  return verifyEd25519(peer, signedBytes(type, payload), signature);
}

/**
 * Signs a document: a DAG-CBOR map `{payload, signature, signer}` where the signature covers
 * "workswap/TYPE/1\n" followed by the DAG-CBOR of the payload.
 */
export async function sealDocument(type: string, payload: object, key: PrivateKey): Promise<Uint8Array> {
  const signature = signPayload(type, encode(payload), key);
  return encode({ payload, signature, signer: peerIdFromPublicKey(key.publicKey).toString() });
}

/** Opens a signed document and returns its payload, still to be checked for its own shape. */
export async function openDocument(
  type: string,
  bytes: Uint8Array,
  bytesMax: number = DOCUMENT_BYTES_MAX,
): Promise<{ payload: Record<string, unknown>; signer: string }> {
  if (bytes.length > bytesMax) throw new DocumentError(type, `it has more than ${bytesMax} bytes`);
  const document = decodeMap(type, bytes);
  const { payload, signature, signer } = document;
  if (!isMap(payload) || !(signature instanceof Uint8Array) || typeof signer !== 'string') {
    throw new DocumentError(type, 'it is not a map of payload, signature and signer');
  }
  if (!verifyPayload(type, encode(payload), signature, signer)) {
    throw new DocumentError(type, `the signature is not ${signer}'s`);
  }
  return { payload, signer };
}

export function decodeMap(type: string, bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (error) {
    throw new DocumentError(type, `it is not DAG-CBOR (${error instanceof Error ? error.message : String(error)})`);
  }
  if (!isMap(value)) throw new DocumentError(type, 'it is not a map');
  return value;
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** A field that we do not know could change what the others mean. @throws DocumentError */
export function hasOnly(type: string, map: Record<string, unknown>, fields: readonly string[]): void {
  const unknown = Object.keys(map).find((name) => !fields.includes(name));
  if (unknown !== undefined) throw new DocumentError(type, `the field "${unknown.slice(0, 64)}" is not known`);
}

/** A non-negative safe integer. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

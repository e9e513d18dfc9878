import { readFile } from 'node:fs/promises';
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { createOnce } from '../store/create-once.ts';

export class IdentityError extends WorkswapError {
  readonly path: string;

  constructor(path: string, message: string, cause?: unknown) {
    super('IDENTITY_UNREADABLE', message, { fault: 'provider', cause });
    this.path = path;
  }
}

const KEY_FILE_BYTES_MAX = 4096;

/**
 * The Ed25519 key in `path` (libp2p's protobuf encoding), made on first use. The file appears complete or not at all,
 * readable by its owner only, and is never overwritten: whoever loses this key loses the account at every other peer.
 */
export async function loadIdentity(path: string): Promise<PrivateKey> {
  const bytes = await readKeyFile(path);
  if (bytes !== undefined) return decodeKey(path, bytes);
  await createOnce(path, privateKeyToProtobuf(await generateKeyPair('Ed25519')));
  return decodeKey(path, (await readKeyFile(path)) ?? new Uint8Array());
}

async function readKeyFile(path: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > KEY_FILE_BYTES_MAX) throw new IdentityError(path, `${path} is too large to be an identity file`);
    return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof IdentityError) throw error;
    throw new IdentityError(path, `Cannot read the identity ${path}: ${(error as Error).message}`, error);
  }
}

function decodeKey(path: string, bytes: Uint8Array): PrivateKey {
  let key: PrivateKey;
  try {
    key = privateKeyFromProtobuf(bytes);
  } catch (error) {
    throw new IdentityError(
      path,
      `${path} does not hold a libp2p private key. Restore it from a backup, or move it away to start with a new identity.`,
      error,
    );
  }
  if (key.type !== 'Ed25519') throw new IdentityError(path, `${path} holds a ${key.type} key; Workswap needs Ed25519`);
  return key;
}

import { createHash, createPublicKey, hash, verify } from 'node:crypto';
import { SandboxError } from './errors.ts';
import type { Host } from './engine/host.ts';

/** The DER header of an Ed25519 public key (RFC 8410); the 32 bytes of the key follow. */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

export interface FileAccess {
  readFile?(cid: Uint8Array, offset: number, length: number): Uint8Array;
  fileSize?(cid: Uint8Array): number;
}

/** A host on Node's crypto. Without file access every block is unavailable. */
export function createNodeHost(files: FileAccess = {}): Host {
  return {
    readFile: files.readFile?.bind(files) ?? noFiles,
    fileSize: files.fileSize?.bind(files) ?? noFiles,
    sha256,
    ed25519Verify,
  };
}

/** What is hashed in one step: a worker can be terminated only between them. */
const HASH_STEP_BYTES = 1024 * 1024;

function sha256(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= HASH_STEP_BYTES) return hash('sha256', bytes, 'buffer');
  const hasher = createHash('sha256');
  for (let at = 0; at < bytes.length; at += HASH_STEP_BYTES) hasher.update(bytes.subarray(at, at + HASH_STEP_BYTES));
  return hasher.digest();
}

function noFiles(): never {
  throw new SandboxError(
    'BLOCK_UNAVAILABLE',
    'The handler reads IPFS blocks, and this run has none. Run it on a provider.',
    {
      fault: 'provider',
      retryable: true,
    },
  );
}

function ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const der = Buffer.concat([ED25519_SPKI, key]);
    return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
  } catch {
    return false;
  }
}

import { createPublicKey, hash, verify } from 'node:crypto';
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
    sha256: (bytes) => hash('sha256', bytes, 'buffer'),
    ed25519Verify,
  };
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

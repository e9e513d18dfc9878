import type { CID } from 'multiformats/cid';
import { WorkswapError } from '../../sdk/protocol/errors.ts';

/** Bytes from a peer that are not a Bitswap message, or that break one of our limits. */
export class InvalidMessageError extends WorkswapError {
  constructor(message: string) {
    super('INVALID_MESSAGE', message, { fault: 'consumer' });
  }
}

/** Nobody whom we could ask delivered the block in time. */
export class BlockUnavailableError extends WorkswapError {
  readonly cid: CID;

  constructor(cid: CID, reason: string, cause?: unknown) {
    super('BLOCK_UNAVAILABLE', `The block ${cid} could not be fetched: ${reason}`, {
      fault: 'provider',
      retryable: true,
      cause,
    });
    this.cid = cid;
  }
}

/** The CID names a hash function that is not on our list, or a digest too short to trust: its block cannot be verified. */
export class UnsupportedHashError extends WorkswapError {
  readonly hashCode: number;

  constructor(hashCode: number, digestBytes: number) {
    super(
      'UNSUPPORTED_HASH',
      `Blocks with hash function 0x${hashCode.toString(16)} and a digest of ${digestBytes} bytes cannot be verified here; give a hasher for it`,
      { fault: 'consumer' },
    );
    this.hashCode = hashCode;
  }
}

export class BitswapStoppedError extends WorkswapError {
  constructor() {
    super('BITSWAP_STOPPED', 'Bitswap is not running: call start() first', { fault: 'provider', retryable: true });
  }
}

import { WorkswapError, type Fault } from '../../sdk/protocol/index.ts';

export type PinErrorCode =
  | 'PIN_INVALID'
  | 'PIN_NOT_FOUND'
  | 'PINNING_REFUSED'
  | 'PIN_LIMIT'
  | 'TOKEN_INVALID'
  | 'INSUFFICIENT_FUNDS'
  | 'PIN_EXPIRED'
  | 'CONTENT_NOT_FOUND'
  | 'CODEC_UNKNOWN'
  | 'BLOCK_MALFORMED'
  | 'DAG_TOO_LARGE'
  | 'STORE_QUOTA'
  | 'GC_UNSUPPORTED'
  | 'NOT_OPERATOR'
  | 'TOO_OFTEN'
  | 'BAD_ANSWER';

const FAULTS: Partial<Record<PinErrorCode, Fault>> = {
  BAD_ANSWER: 'provider',
  STORE_QUOTA: 'provider',
  GC_UNSUPPORTED: 'provider',
};
const RETRYABLE: readonly PinErrorCode[] = ['CONTENT_NOT_FOUND', 'INSUFFICIENT_FUNDS', 'STORE_QUOTA', 'TOO_OFTEN'];

/** Something cannot be pinned, or not as asked. */
export class PinError extends WorkswapError {
  declare readonly code: PinErrorCode;

  constructor(code: PinErrorCode, message: string, cause?: unknown) {
    super(code, message, { fault: FAULTS[code] ?? 'consumer', retryable: RETRYABLE.includes(code), cause });
  }
}

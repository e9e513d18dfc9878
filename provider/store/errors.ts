import { WorkswapError } from '../../sdk/protocol/errors.ts';

export type StoreErrorCode =
  | 'STORE_LOCKED'
  | 'STORE_FULL'
  | 'STORE_CORRUPT'
  | 'STORE_NEWER'
  | 'STORE_READ_ONLY'
  | 'STORE_UNAVAILABLE';

/** A store on this machine could not be opened, read or written. Always the provider's fault, never a peer's. */
export class StoreError extends WorkswapError {
  /** The database file, or `:memory:`. */
  readonly path: string;
  /** SQLite's extended result code, when SQLite refused. */
  readonly sqliteCode: number | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    init: { path: string; retryable?: boolean; sqliteCode?: number | undefined; cause?: unknown },
  ) {
    super(code, message, {
      fault: 'provider',
      retryable: init.retryable ?? false,
      peerMessage: code === 'STORE_FULL' ? 'The provider has no disk space left' : 'The provider cannot use its disk',
      cause: init.cause,
    });
    this.path = init.path;
    this.sqliteCode = init.sqliteCode;
  }
}

/** Who has to change something for the same request to succeed. */
export type Fault = 'consumer' | 'handler' | 'provider';

export interface WorkswapErrorInit {
  fault: Fault;
  /** True when the very same request can succeed later without anybody changing it. */
  retryable?: boolean;
  /** What a peer is told instead of the message, when that names something local, for example a path. */
  peerMessage?: string;
  cause?: unknown;
}

/**
 * The base of every error that a user or a peer can see. `code` is stable and crosses the wire; the message says what
 * was wrong with which input and what to do about it.
 */
export class WorkswapError extends Error {
  readonly code: string;
  readonly fault: Fault;
  readonly retryable: boolean;
  readonly peerMessage: string;

  constructor(code: string, message: string, init: WorkswapErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = new.target.name;
    this.code = code;
    this.fault = init.fault;
    this.retryable = init.retryable ?? false;
    this.peerMessage = init.peerMessage ?? message;
  }
}

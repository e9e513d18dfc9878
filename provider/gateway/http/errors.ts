import { WorkswapError, type WorkswapErrorInit } from '../../../sdk/protocol/index.ts';
import type { HttpHeaders } from './types.ts';

/** An answer that is an error. The message is shown to the visitor. */
export class HttpError extends WorkswapError {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** More fields for who asks for JSON. */
  readonly details: Record<string, unknown>;

  constructor(
    status: number,
    code: string,
    message: string,
    init: Partial<WorkswapErrorInit> & { headers?: HttpHeaders; details?: Record<string, unknown> } = {},
  ) {
    super(code, message, { fault: status < 500 ? 'consumer' : 'provider', ...init });
    this.status = status;
    this.headers = init.headers ?? {};
    this.details = init.details ?? {};
  }
}

export class ListenError extends WorkswapError {
  readonly reason: string;

  constructor(address: string, reason: string, cause?: unknown) {
    super('LISTEN_FAILED', `Cannot listen on ${address}: ${reason}`, { fault: 'provider', cause });
    this.reason = reason;
  }
}

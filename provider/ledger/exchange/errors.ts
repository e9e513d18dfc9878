import { WorkswapError } from '../../../sdk/protocol/errors.ts';

export type ReconcileErrorCode = 'RECONCILE_REFUSED' | 'RECONCILE_UNANSWERED' | 'RECONCILE_INVALID';

/** The other side did not say what it has in its books, or not so that it could be believed. */
export class ReconcileError extends WorkswapError {
  declare readonly code: ReconcileErrorCode;
  /** Why the other side refused, in its own word. */
  readonly reason: string | undefined;
  /** Ask again after this time. */
  readonly retryMs: number | undefined;

  constructor(
    code: ReconcileErrorCode,
    message: string,
    init: { reason?: string; retryMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(code, message, {
      fault: 'provider',
      retryable: code === 'RECONCILE_UNANSWERED' || init.retryMs !== undefined,
      cause: init.cause,
    });
    this.reason = init.reason;
    this.retryMs = init.retryMs;
  }
}

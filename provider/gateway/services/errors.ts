import { JobError } from '../../../sdk/client/index.ts';
import { RemoteError, WorkswapError } from '../../../sdk/protocol/index.ts';
import { HttpError, type HttpHeaders } from '../http/index.ts';

/** Statuses of codes whose fault alone does not tell. */
const STATUSES: Record<string, number> = {
  SERVICE_NOT_FOUND: 404,
  SERVICE_UNKNOWN: 404,
  SHORT_NAME_INVALID: 404,
  SERVICE_EXPIRED: 410,
  BODY_TOO_LARGE: 413,
  TASK_EXPIRED: 400,
  ALREADY_APPLIED: 409,
  TOO_OFTEN: 429,
  QUEUE_FULL: 503,
  TOO_MANY_REQUESTS: 503,
  TOO_MANY_STREAMS: 503,
  SHUTTING_DOWN: 503,
  SANDBOX_CLOSED: 503,
  STATE_BUSY: 503,
  STATE_CLOSED: 503,
  DEADLINE: 504,
  DEADLINE_EXCEEDED: 504,
  TIMEOUT: 504,
  BLOCK_UNAVAILABLE: 502,
};
const RETRY_SECONDS = 1;

/**
 * What a visitor is told of an error. A handler's failure is a plain 500: its message may hold anything, and is only for
 * its author. A provider's fault is a 502, 503 or 504 that says so.
 */
export function asHttpError(error: unknown, showFailures: boolean): unknown {
  if (error instanceof HttpError && error.fault !== 'handler') return error;
  if (!(error instanceof WorkswapError)) return error;
  const { code, fault, retryable, message } = error;
  if (code === 'OVER_CREDIT') return overCredit(error);
  if (fault === 'handler') return handlerFailed(error, showFailures);
  const status = STATUSES[code] ?? (fault === 'consumer' ? 400 : 502);
  const headers: HttpHeaders = status === 503 || status === 429 ? { 'retry-after': String(RETRY_SECONDS) } : {};
  return new HttpError(status, code, message, { fault, retryable, headers, cause: error });
}

/** The gateway itself is over its credit at the endpoint. */
function overCredit(error: WorkswapError): HttpError {
  if (!(error instanceof RemoteError) || error.overCredit === undefined) {
    return new HttpError(402, 'OVER_CREDIT', error.message, { retryable: true, cause: error });
  }
  const { balance, limit, requestedBytes, waitMs } = error.overCredit;
  const details = { balance, limit, requestedBytes, ...(waitMs === undefined ? {} : { waitMs }) };
  const headers: HttpHeaders = waitMs === undefined ? {} : { 'retry-after': String(Math.ceil(waitMs / 1000)) };
  const message = 'This gateway has used up its credit at the provider of the service';
  return new HttpError(402, 'OVER_CREDIT', message, { retryable: true, headers, details, cause: error });
}

function handlerFailed(error: WorkswapError, showFailures: boolean): HttpError {
  const receipt = error instanceof JobError ? error.receipt : undefined;
  const headers: HttpHeaders = { 'x-workswap-error': error.code };
  if (receipt !== undefined) headers['x-workswap-receipt'] = receipt.cid.toString();
  const reason = error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
  return new HttpError(500, 'HANDLER_FAILED', 'The service failed', {
    fault: 'handler',
    headers,
    details: showFailures ? { code: error.code, reason } : {},
    cause: error,
  });
}

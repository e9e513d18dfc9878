import { StoreError } from '../../store/index.ts';
import { WorkswapError } from '../../../sdk/protocol/index.ts';
import { PinError, type PinErrorCode } from '../../pinning/index.ts';
import { HttpError, type HttpHeaders, type HttpReply } from '../http/index.ts';

/** What the Pinning Service API calls our errors. */
const KNOWN: Partial<Record<PinErrorCode, [status: number, reason: string]>> = {
  PIN_INVALID: [400, 'BAD_REQUEST'],
  PIN_NOT_FOUND: [404, 'NOT_FOUND'],
  PINNING_REFUSED: [403, 'FORBIDDEN'],
  PIN_LIMIT: [403, 'PIN_LIMIT'],
  INSUFFICIENT_FUNDS: [409, 'INSUFFICIENT_FUNDS'],
  TOO_OFTEN: [429, 'TOO_MANY_REQUESTS'],
};

const REASONS: Record<number, string> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'BODY_TOO_LARGE',
  421: 'HOST_UNKNOWN',
  429: 'TOO_MANY_REQUESTS',
};

export function badRequest(details: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', details);
}

/** Any error as the Failure object of the specification. What is not meant for clients is a plain 500. */
export function failureReply(error: unknown): HttpReply {
  if (error instanceof HttpError) {
    return reply(error.status, REASONS[error.status] ?? error.code, error.message, error.headers);
  }
  const known = error instanceof PinError ? KNOWN[error.code] : undefined;
  if (known !== undefined) return reply(...known, (error as PinError).message);
  if (error instanceof StoreError && error.code === 'STORE_FULL') return reply(507, 'STORE_FULL', error.peerMessage);
  if (error instanceof WorkswapError && error.fault === 'consumer') return reply(400, error.code, error.peerMessage);
  return reply(500, 'INTERNAL_SERVER_ERROR', 'The provider failed; its log says why.');
}

function reply(status: number, reason: string, details: string, more: HttpHeaders = {}): HttpReply {
  return {
    status,
    headers: { ...more, 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify({ error: { reason, details } }),
  };
}

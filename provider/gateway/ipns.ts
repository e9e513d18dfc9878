import { createHash } from 'node:crypto';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { disposition, FORMAT_TYPES } from './content/index.ts';
import { HttpError, matchesTag, type HttpReply, type HttpRequest } from './http/index.ts';
import type { ResolvedIpns } from './types.ts';

/** The signed record of a name. */
export function recordReply(
  request: HttpRequest,
  name: string,
  { record, ttlMs }: ResolvedIpns,
  filename: string | null,
): HttpReply {
  const etag = `"${createHash('sha256').update(record).digest('base64url').slice(0, 22)}.ipns-record"`;
  const headers = {
    etag,
    'cache-control': `public, max-age=${Math.floor(ttlMs / 1000)}`,
    'x-content-type-options': 'nosniff',
  };
  if (matchesTag(request.headers['if-none-match'], [etag])) return { status: 304, headers };
  return {
    status: 200,
    headers: {
      ...headers,
      'content-type': FORMAT_TYPES['ipns-record'],
      'content-disposition': disposition('attachment', filename ?? `${name}.ipns-record`),
    },
    body: record,
  };
}

/** A name that cannot be resolved: 404 when nobody knows it, else what the resolver says of it. */
export function asNameError(error: unknown, name: string): unknown {
  if (!(error instanceof WorkswapError) || error instanceof HttpError) return error;
  const { code, message, retryable } = error;
  if (code === 'SERVICE_NOT_FOUND') return new HttpError(404, 'NAME_NOT_FOUND', message, { retryable, cause: error });
  return new HttpError(502, code, `The name ${name} cannot be used: ${message}`, { retryable, cause: error });
}

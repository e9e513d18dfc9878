import type { HttpReply, HttpRequest } from './http/index.ts';

/** Content by its CID is the same for everybody, so every page may read it. */
const ALLOWED = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'Content-Type, Range, User-Agent, X-Requested-With',
  'access-control-expose-headers':
    'Content-Length, Content-Location, Content-Range, Etag, Ipfs-Uri, X-Chunked-Output, X-Ipfs-Path, X-Ipfs-Roots, X-Stream-Output',
};

export function withCors(reply: HttpReply): HttpReply {
  Object.assign(reply.headers, ALLOWED);
  return reply;
}

export function isPreflight({ method }: HttpRequest): boolean {
  return method === 'OPTIONS';
}

export function preflightReply(): HttpReply {
  return withCors({ status: 204, headers: { 'access-control-max-age': '86400' } });
}

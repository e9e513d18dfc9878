import { createHash } from 'node:crypto';
import { HttpError, parseRange, type HttpHeaders, type HttpReply, type HttpRequest } from '../http/index.ts';
import { isIdentity, isRaw, type BlockReader } from './block-reader.ts';
import { carScope, type CarScope } from './car-scope.ts';
import { writeCar, type CarLimits } from './car.ts';
import { disposition } from './disposition.ts';
import { FORMAT_TYPES, type CarParameters, type Format } from './format.ts';
import { DAG_PB } from './node.ts';
import type { Resolved } from './resolve.ts';
import { isMatch, notModified } from './serve-unixfs.ts';
import { notUnixFs, writeTar } from './tar.ts';

/** One block as it is. */
export function rawReply(
  request: HttpRequest,
  { cid, bytes }: Resolved,
  headers: HttpHeaders,
  filename: string | undefined,
): HttpReply {
  const all: HttpHeaders = {
    ...headers,
    etag: `"${cid}.raw"`,
    'content-type': FORMAT_TYPES.raw,
    'content-disposition': disposition('attachment', filename ?? `${cid}.bin`),
    'x-content-type-options': 'nosniff',
  };
  return bytesReply(request, bytes, all);
}

/** A document of a codec that says what it is, without conversion. */
export function documentReply(
  request: HttpRequest,
  { cid, bytes }: Resolved,
  headers: HttpHeaders,
  format: Format,
): HttpReply {
  const isText = format === 'json' || format === 'dag-json';
  return bytesReply(request, bytes, {
    ...headers,
    etag: `"${cid}.${format}"`,
    'content-type': FORMAT_TYPES[format],
    'content-disposition':
      headers['content-disposition'] ??
      disposition(isText ? 'inline' : 'attachment', `${cid}.${isText ? 'json' : 'cbor'}`),
    'x-content-type-options': 'nosniff',
  });
}

function bytesReply(request: HttpRequest, bytes: Uint8Array, headers: HttpHeaders): HttpReply {
  if (isMatch(request, 200, [String(headers['etag'])])) return notModified(headers);
  const all = { ...headers, 'accept-ranges': 'bytes' };
  const range = parseRange(request.headers.range, bytes.length);
  if (range === undefined) return { status: 200, headers: all, body: bytes };
  if (range === 'unsatisfiable') {
    throw new HttpError(416, 'RANGE_NOT_SATISFIABLE', `The block has ${bytes.length} bytes`, {
      headers: { 'content-range': `bytes */${bytes.length}` },
    });
  }
  const { start, end } = range;
  const contentRange = `bytes ${start}-${end}/${bytes.length}`;
  return { status: 206, headers: { ...all, 'content-range': contentRange }, body: bytes.subarray(start, end + 1) };
}

/** A CAR stream of the path's blocks and what its scope asks for. */
export function carReply(
  request: HttpRequest,
  reader: BlockReader,
  { cid }: Resolved,
  options: {
    headers: HttpHeaders;
    parameters: CarParameters;
    query: URLSearchParams;
    filename: string | undefined;
    limits: CarLimits;
  },
): HttpReply {
  const { parameters, query } = options;
  const scope = carScope(query);
  const headers: HttpHeaders = {
    ...options.headers,
    etag: carTag(reader, scope, parameters),
    'content-type': `${FORMAT_TYPES.car}; version=1; order=dfs; dups=${parameters.dups ? 'y' : 'n'}`,
    'content-disposition': disposition('attachment', options.filename ?? `${cid}.car`),
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'none',
  };
  if (isMatch(request, 200, [String(headers['etag'])])) return notModified(headers);
  const { dups } = parameters;
  return { status: 200, headers, body: writeCar(reader, [...reader.blocks], { ...scope, dups }, options.limits) };
}

/** The tree below as a TAR. */
export function tarReply(
  request: HttpRequest,
  newReader: () => BlockReader,
  { cid }: Resolved,
  options: { headers: HttpHeaders; filename: string | undefined; limits: CarLimits },
): HttpReply {
  if (!isRaw(cid) && cid.code !== DAG_PB) throw notUnixFs(cid);
  const headers: HttpHeaders = {
    ...options.headers,
    etag: `"${cid}.x-tar"`,
    'content-type': FORMAT_TYPES.tar,
    'content-disposition': disposition('attachment', options.filename ?? `${cid}.tar`),
    'accept-ranges': 'none',
  };
  if (isMatch(request, 200, [String(headers['etag'])])) return notModified(headers);
  return { status: 200, headers, body: writeTar(newReader, cid, options.limits) };
}

/** Everything that the bytes follow from: the blocks of the path and the parameters. The order is fixed, so it is strong. */
function carTag(reader: BlockReader, { scope, bytes }: CarScope, { dups }: CarParameters): string {
  const hash = createHash('sha256');
  for (const { cid } of reader.blocks) if (!isIdentity(cid)) hash.update(`${cid} `);
  hash.update(`${scope} ${bytes?.from}:${bytes?.to} ${dups}`);
  return `"${reader.blocks.at(-1)!.cid}.car.${hash.digest('base64url').slice(0, 16)}"`;
}

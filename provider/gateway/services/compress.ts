import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';
import { parseAccept, type HttpHeaders, type HttpReply, type HttpRequest } from '../http/index.ts';
import { COMPRESS_BYTES_MIN } from '../limits.ts';

const COMPRESSIBLE =
  /^(?:text\/|application\/(?:json|javascript|xml|wasm|manifest\+json|[\w.-]+\+(?:json|xml))|image\/svg\+xml)/;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 19 } };
const GZIP = { level: 6 };

const brotliAll = promisify(brotliCompress);
const gzipAll = promisify(gzip);

/**
 * Compresses an answer where client, type and size allow it. The length of a compressed page tells a listener on the wire
 * what in it repeats (BREACH): so what is for one visitor, by cookie or authorization, is never compressed, and nothing
 * that another site asks for.
 */
export function compress(request: HttpRequest, reply: HttpReply): HttpReply | Promise<HttpReply> {
  const { status, headers, body } = reply;
  if (status !== 200 || body === undefined || !COMPRESSIBLE.test(String(headers['content-type'] ?? ''))) return reply;
  if (headers['content-encoding'] !== undefined || /no-transform/.test(String(headers['cache-control']))) return reply;
  addVary(headers);
  const encoding = encodingOf(request);
  if (encoding === undefined || headers['set-cookie'] !== undefined || isPersonal(request)) return reply;
  const isWhole = typeof body === 'string' || body instanceof Uint8Array;
  if (isWhole && Buffer.byteLength(body) < COMPRESS_BYTES_MIN) return reply;
  const { 'content-length': _length, 'accept-ranges': _ranges, ...rest } = headers;
  const encoded: HttpHeaders = { ...rest, 'content-encoding': encoding };
  if (typeof rest['etag'] === 'string') encoded['etag'] = encodedTag(rest['etag'], encoding);
  if (!isWhole) {
    const stream = encoding === 'br' ? createBrotliCompress(BROTLI) : createGzip(GZIP);
    const source = Readable.from(body, { objectMode: false });
    source.on('error', (error) => stream.destroy(error));
    stream.on('close', () => source.destroy());
    return { ...reply, headers: encoded, body: source.pipe(stream) };
  }
  const compressed = encoding === 'br' ? brotliAll(body, BROTLI) : gzipAll(body, GZIP);
  return compressed.then((bytes) => ({ ...reply, headers: encoded, body: bytes }));
}

/** The tags under which a client may have kept an answer: as it is, and in each encoding. */
export function encodedTags(tag: string): string[] {
  return [tag, encodedTag(tag, 'br'), encodedTag(tag, 'gzip')];
}

/** A list of tags as the handler gave them: it does not know that its answers were compressed. */
export function plainTags(list: string): string {
  return list.replaceAll(/\.(?:br|gzip)"/g, '"');
}

function encodedTag(tag: string, encoding: string): string {
  return tag.endsWith('"') ? `${tag.slice(0, -1)}.${encoding}"` : tag;
}

function encodingOf({ headers }: HttpRequest): 'br' | 'gzip' | undefined {
  const accepted = parseAccept(headers['accept-encoding'] as string | undefined).map(({ type }) => type);
  return accepted.includes('br') ? 'br' : accepted.includes('gzip') ? 'gzip' : undefined;
}

function isPersonal({ headers }: HttpRequest): boolean {
  return (
    headers.cookie !== undefined || headers.authorization !== undefined || headers['sec-fetch-site'] === 'cross-site'
  );
}

function addVary(headers: HttpReply['headers']): void {
  const vary = headers['vary'];
  headers['vary'] = vary === undefined ? 'Accept-Encoding' : `${String(vary)}, Accept-Encoding`;
}

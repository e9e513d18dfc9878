import type { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { HttpError, matchesTag, type HttpHeaders, type HttpReply, type HttpRequest } from '../http/index.ts';
import { isRaw, type BlockReader } from './block-reader.ts';
import { findEntry, listEntries, type DirectoryEntry } from './directory.ts';
import { fileReply } from './file.ts';
import { LISTING_ENTRIES_MAX } from './limits.ts';
import { LISTING_VERSION, listingPage } from './listing-page.ts';
import { DAG_PB, decodeUnixFs, isDirectory, type UnixFsNode } from './node.ts';
import type { ContentPath } from './path.ts';
import { encodeSegments } from './path.ts';

export interface UnixFsAnswer {
  request: HttpRequest;
  reader: BlockReader;
  cid: CID;
  bytes: Uint8Array;
  path: ContentPath;
  /** What stands before the path in URLs: `/ipfs/CID`, or nothing on a host of its own. */
  prefix: string;
  /** The content path that is shown: `ipfs/CID` or `ipns/NAME`. */
  shown: string;
  ipfsUrl: string;
  /** With the question mark, or empty. */
  search: string;
  filename: string | undefined;
  headers: HttpHeaders;
  /** A page of `_redirects` has the rule's status; 200 otherwise. */
  status: number;
}

const LISTING_CACHE = 'public, max-age=604800, stale-while-revalidate=2678400';

/** A file's bytes, a directory's index.html or its listing. */
export async function serveUnixFs(answer: UnixFsAnswer): Promise<HttpReply> {
  const { cid, bytes, request } = answer;
  if (isRaw(cid)) return fileOf(answer, cid, cid, answer.path.segments.at(-1) ?? '');
  if (cid.code !== DAG_PB) throw new HttpError(406, 'NOT_UNIXFS', `${cid} is no file; ask for it with ?format=raw`);
  const node = decodeUnixFs(cid, bytes);
  if (isDirectory(node)) return directoryOf(answer, node);
  if (node.unixfs.type === 'symlink') {
    const etag = `"${cid}"`;
    const headers = { ...answer.headers, etag, 'content-type': 'inode/symlink' };
    return isMatch(request, answer.status, [etag])
      ? notModified(headers)
      : { status: answer.status, headers, body: node.unixfs.data ?? new Uint8Array(0) };
  }
  if (node.unixfs.type !== 'file' && node.unixfs.type !== 'raw') {
    throw new HttpError(500, 'NOT_UNIXFS', `${cid} is UnixFS ${node.unixfs.type}, which has no bytes to show`);
  }
  return fileOf(answer, cid, cid, answer.path.segments.at(-1) ?? '', node.unixfs.mtime);
}

/** @param tagged the file itself, or the directory whose index it is */
async function fileOf(
  answer: UnixFsAnswer,
  cid: CID,
  tagged: CID,
  name: string,
  mtime?: UnixFS['mtime'],
): Promise<HttpReply> {
  const { request, reader, status, filename } = answer;
  const etag = `"${tagged}"`;
  const modified = mtime === undefined ? undefined : httpDate(Number(mtime.secs) * 1000);
  const headers = { ...answer.headers, ...(modified !== undefined && { 'last-modified': modified }) };
  if (isMatch(request, status, [etag]) || isUnmodified(request, status, modified)) {
    return notModified({ ...headers, etag });
  }
  return fileReply(request, reader, { cid, name: filename ?? name, etag, headers, status });
}

async function directoryOf(answer: UnixFsAnswer, node: UnixFsNode): Promise<HttpReply> {
  const { request, reader, cid, path, prefix, search, headers, status } = answer;
  const url = `${prefix}${encodeSegments(path.segments)}`;
  if (!path.hasSlash) {
    return { status: 301, headers: { ...headers, location: `${url}/${search}`, 'content-type': 'text/plain' } };
  }
  const index = await findEntry(reader, node, 'index.html');
  if (index !== undefined) return fileOf(answer, index, cid, 'index.html');
  const etag = `"DirIndex-${LISTING_VERSION}_CID-${cid}"`;
  const listing: HttpHeaders = {
    ...headers,
    etag,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  };
  if (String(headers['cache-control']).includes('immutable')) listing['cache-control'] = LISTING_CACHE;
  if (isMatch(request, status, [etag, `"${cid}"`])) return notModified(listing);
  if (request.method === 'HEAD') return { status, headers: listing, body: nothing() };
  const entries: DirectoryEntry[] = [];
  let isCut = false;
  for await (const entry of listEntries(reader, node)) {
    isCut = entries.length >= LISTING_ENTRIES_MAX;
    if (isCut) break;
    entries.push(entry);
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const parent = path.segments.length === 0 ? undefined : `${url}/..`;
  const crumbs = crumbsOf(answer);
  const page = listingPage({ url, crumbs, cid: cid.toString(), entries, isCut, parent, ipfsUrl: answer.ipfsUrl });
  return { status, headers: listing, body: page };
}

function crumbsOf({ shown, prefix, path }: UnixFsAnswer): { name: string; url: string }[] {
  const [namespace = '', root = ''] = shown.split('/');
  const crumbs = [{ name: `${namespace}/${root}`, url: prefix === '' ? '/' : prefix }];
  for (const [index, name] of path.segments.entries()) {
    crumbs.push({ name, url: `${prefix}${encodeSegments(path.segments.slice(0, index + 1))}` });
  }
  return crumbs;
}

function httpDate(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toUTCString();
}

/** By date, which counts only where the client sends no tags (RFC 9110, 13.1.3). */
function isUnmodified({ headers }: HttpRequest, status: number, modified: string | undefined): boolean {
  if (modified === undefined || status !== 200 || headers['if-none-match'] !== undefined) return false;
  return Date.parse(modified) <= Date.parse(headers['if-modified-since'] ?? '');
}

export function isMatch(request: HttpRequest, status: number, tags: string[]): boolean {
  return status === 200 && matchesTag(request.headers['if-none-match'], tags);
}

export function notModified(headers: HttpHeaders): HttpReply {
  const { 'content-type': _type, 'content-length': _length, 'content-disposition': _name, ...rest } = headers;
  return { status: 304, headers: rest };
}

/** A body of unknown length that is not sent: the answer to HEAD must not claim a length. */
async function* nothing(): AsyncGenerator<Uint8Array> {}

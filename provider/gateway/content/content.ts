import type { CID } from 'multiformats/cid';
import { openFile, type GetBlock } from '../../store/index.ts';
import { HttpError, type HttpHeaders, type HttpReply, type HttpRequest } from '../http/index.ts';
import { BlockReader } from './block-reader.ts';
import type { CarLimits } from './car.ts';
import { findEntry } from './directory.ts';
import { disposition } from './disposition.ts';
import { DOCUMENT_FORMATS, wantedFormat, type WantedFormat } from './format.ts';
import { REDIRECTS_BYTES_MAX } from './limits.ts';
import { DAG_PB, decodeUnixFs, isDirectory } from './node.ts';
import { encodeSegments, parsePath, type ContentPath } from './path.ts';
import { matchRedirect, parseRedirects, withQuery } from './redirects.ts';
import { resolvePath, type Resolved } from './resolve.ts';
import { carReply, documentReply, rawReply, tarReply } from './serve-blocks.ts';
import { serveUnixFs } from './serve-unixfs.ts';

export interface ContentInit extends CarLimits {
  getBlock: GetBlock;
  hasBlock: (cid: CID) => Promise<boolean>;
  blockTimeoutMs: number;
}

export interface ContentRequest {
  root: CID;
  /** Where in the root a name points: what the path is relative to. */
  above: readonly string[];
  /** `/ipfs/CID` or `/ipns/NAME` as it was asked for. */
  namespacePath: string;
  path: ContentPath;
  /** Without the question mark. */
  query: string;
  /** What stands before the path in URLs of this host. */
  prefix: string;
  /** Where `/ipfs/CID` is served. */
  ipfsUrl: string;
  /** How long a name's answer holds; undefined for content that never changes. */
  ttlMs: number | undefined;
  /** Only on a host of its own: rules must not reach what others have at the same origin. */
  redirects: boolean;
}

export const IMMUTABLE = 'public, max-age=29030400, immutable';

/** Content of IPFS at an HTTP path: the trustless gateway's blocks and CARs, the path gateway's files. */
export class Content {
  readonly #init: ContentInit;

  constructor(init: ContentInit) {
    this.#init = init;
  }

  async serve(request: HttpRequest, content: ContentRequest): Promise<HttpReply> {
    const { root, path, prefix } = content;
    const query = new URLSearchParams(content.query);
    refuseServiceWorker(request, path, prefix);
    const wanted = wantedFormat(request.headers, query);
    if (wanted.format === 'ipns-record') {
      throw new HttpError(400, 'FORMAT_INVALID', 'An IPNS record is asked for at /ipns/NAME, without a path');
    }
    await this.#onlyIfCached(request, root);
    const reader = new BlockReader(this.#init.getBlock, request.signal, this.#init.blockTimeoutMs);
    let resolved: Resolved;
    try {
      resolved = await resolvePath(reader, root, [...content.above, ...path.segments]);
    } catch (error) {
      const isMissing = error instanceof HttpError && error.code === 'PATH_NOT_FOUND';
      const isPlain = wanted.format === undefined && content.redirects;
      const reply = isMissing && isPlain ? await this.#redirect(request, reader, content, query) : undefined;
      if (reply === undefined) throw error;
      return reply;
    }
    const headers = this.#headers(content, resolved, query, wanted);
    return this.#reply(request, reader, content, resolved, { headers, query, wanted, status: 200 });
  }

  async #reply(
    request: HttpRequest,
    reader: BlockReader,
    content: ContentRequest,
    resolved: Resolved,
    answer: { headers: HttpHeaders; query: URLSearchParams; wanted: WantedFormat; status: number },
  ): Promise<HttpReply> {
    const { headers, query, wanted, status } = answer;
    const { format } = wanted;
    const filename = query.get('filename') ?? undefined;
    const own = DOCUMENT_FORMATS.get(resolved.cid.code);
    if (format === 'raw') return rawReply(request, resolved, headers, filename);
    if (format === 'car') {
      const parameters = wanted.car;
      return carReply(request, reader, resolved, { headers, parameters, query, filename, limits: this.#init });
    }
    if (format === 'tar') {
      const newReader = (): BlockReader =>
        new BlockReader(this.#init.getBlock, request.signal, this.#init.blockTimeoutMs);
      return tarReply(request, newReader, resolved, { headers, filename, limits: this.#init });
    }
    if (own !== undefined && (format === undefined || own.includes(format))) {
      return documentReply(request, resolved, headers, format ?? own[0]);
    }
    // A browser's fetch that would like JSON gets the file that there is.
    const isWish = wanted.negotiated !== undefined && (format === 'json' || format === 'cbor');
    if (format !== undefined && !isWish) throw notConverted(format, resolved.cid);
    return serveUnixFs({
      request,
      reader,
      cid: resolved.cid,
      bytes: resolved.bytes,
      path: content.path,
      prefix: content.prefix,
      shown: content.namespacePath.slice(1),
      ipfsUrl: content.ipfsUrl,
      search: content.query === '' ? '' : `?${content.query}`,
      filename,
      headers,
      status,
    });
  }

  #headers(content: ContentRequest, resolved: Resolved, query: URLSearchParams, wanted: WantedFormat): HttpHeaders {
    const { path, ttlMs } = content;
    const slash = path.hasSlash && path.segments.length > 0 ? '/' : '';
    const headers: HttpHeaders = {
      'cache-control': ttlMs === undefined ? IMMUTABLE : `public, max-age=${Math.floor(ttlMs / 1000)}`,
      'x-ipfs-roots': resolved.roots.join(','),
      'x-content-type-options': 'nosniff',
    };
    const filename = query.get('filename') ?? undefined;
    const download = query.get('download') === 'true';
    if (filename !== undefined || download) {
      headers['content-disposition'] = disposition(download ? 'attachment' : 'inline', filename);
    }
    if (wanted.negotiated !== undefined) {
      // What the query says itself counts more than Accept.
      const search = new URLSearchParams({ ...wanted.negotiated, ...Object.fromEntries(query) });
      headers['content-location'] = `${content.prefix}${encodeSegments(path.segments)}${slash}?${search}`;
      headers['vary'] = 'Accept';
    }
    return headers;
  }

  async #onlyIfCached({ headers }: HttpRequest, root: CID): Promise<void> {
    if (headers['cache-control']?.includes('only-if-cached') !== true) return;
    if (!(await this.#init.hasBlock(root))) {
      throw new HttpError(412, 'NOT_CACHED', `The block ${root} is not here, and the request allows no fetching`);
    }
  }

  /** Answers with the first rule of the root's `_redirects` that fits; undefined when none does. */
  async #redirect(
    request: HttpRequest,
    reader: BlockReader,
    content: ContentRequest,
    query: URLSearchParams,
  ): Promise<HttpReply | undefined> {
    const top = await resolvePath(reader, content.root, content.above);
    const rule = await findRule(reader, top.cid, content.path);
    if (rule === undefined) return undefined;
    const { to, status } = rule;
    if (status >= 300 && status <= 308) {
      const location = withQuery(to, content.query);
      return { status, headers: { location, 'content-type': 'text/plain; charset=utf-8' } };
    }
    const path = parsePath(to.split(/[?#]/)[0]!);
    const page = new BlockReader(this.#init.getBlock, request.signal, this.#init.blockTimeoutMs);
    const resolved = await resolvePath(page, content.root, [...content.above, ...path.segments]);
    const wanted: WantedFormat = { format: undefined, car: { order: 'dfs', dups: false }, negotiated: undefined };
    // The page is shown at the path that was asked for, so it cannot be sent elsewhere for a slash.
    const shown = { ...content, path: { segments: path.segments, hasSlash: true } };
    const headers = this.#headers(content, resolved, query, wanted);
    return this.#reply(request, page, shown, resolved, { headers, query, wanted, status });
  }
}

/** The rule of a site's `_redirects` that fits a path which is not there. @throws HttpError 500 when the file is wrong */
export async function findRule(
  reader: BlockReader,
  root: CID,
  path: ContentPath,
): Promise<{ to: string; status: number } | undefined> {
  if (root.code !== DAG_PB) return undefined;
  const directory = decodeUnixFs(root, await reader.get(root));
  const cid = isDirectory(directory) ? await findEntry(reader, directory, '_redirects') : undefined;
  if (cid === undefined) return undefined;
  const file = await openFile(cid, reader.fetch);
  // One byte more than is allowed is enough to be refused.
  const rules = parseRedirects(await file.read(0, Math.min(file.size, REDIRECTS_BYTES_MAX + 1)));
  return matchRedirect(rules, path.segments);
}

function refuseServiceWorker({ headers }: HttpRequest, path: ContentPath, prefix: string): void {
  if (headers['service-worker'] !== 'script' || prefix === '') return;
  if (path.segments.length === 0 && !path.hasSlash) {
    throw new HttpError(400, 'SERVICE_WORKER_REFUSED', 'A service worker for all content roots is not allowed');
  }
}

function notConverted(format: string, cid: CID): HttpError {
  return new HttpError(
    406,
    'FORMAT_NOT_OFFERED',
    `${cid} has the codec 0x${cid.code.toString(16)}, and this gateway converts nothing into ${format}; ?format=raw and ?format=car have the blocks`,
  );
}

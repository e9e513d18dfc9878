import {
  cidLabel,
  ipnsKey,
  parseCid,
  parsePath,
  pathHeaders,
  splitTarget,
  wantedFormat,
  type Content,
  type ContentPath,
  type ContentRequest,
} from './content/index.ts';
import { isPreflight, preflightReply, withCors } from './cors.ts';
import { inlineName, outlineName, type Site } from './hosts.ts';
import { errorReply, HttpError, type HttpReply, type HttpRequest } from './http/index.ts';
import { nameOf, recordReply, type NamedRoot, type Names } from './ipns.ts';
import { isLoopback } from './visitors/index.ts';

const HOST = /^[a-z0-9.-]{1,253}(?::\d{1,5})?$/i;

export interface ContentRoutesInit {
  content: Content;
  names: Names;
  subdomains: boolean;
  trustProxy: boolean;
}

type Place = Pick<ContentRequest, 'prefix' | 'ipfsUrl' | 'redirects'>;

/** Content paths: at `/ipfs/CID` and `/ipns/NAME` of the main host, and at hosts of their own. */
export class ContentRoutes {
  readonly #init: ContentRoutesInit;

  constructor(init: ContentRoutesInit) {
    this.#init = init;
  }

  /** Undefined when the target is no content path. */
  async serve(request: HttpRequest, site: Site): Promise<HttpReply | undefined> {
    const { path, query } = splitTarget(request.target);
    const parts = site.kind === 'main' ? /^\/(ipfs|ipns)\/([^/]*)(.*)$/s.exec(path) : null;
    if (site.kind === 'service' || (site.kind === 'main' && parts === null)) return undefined;
    if (isPreflight(request)) return preflightReply();
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new HttpError(405, 'METHOD_NOT_ALLOWED', 'Content is read with GET and HEAD', {
          headers: { allow: 'GET, HEAD, OPTIONS' },
        });
      }
      const reply =
        site.kind === 'main'
          ? await this.#atPath(request, site, parts as RegExpExecArray, query)
          : await this.#atHost(request, site, path, query);
      return withCors(reply);
    } catch (error) {
      // Errors are for pages of other origins as well.
      if (error instanceof HttpError) return withCors(errorReply(request, error));
      throw error;
    }
  }

  async #atPath(
    request: HttpRequest,
    site: Site & { kind: 'main' },
    [, namespace, root, rest]: RegExpExecArray,
    query: string,
  ): Promise<HttpReply> {
    const uri = root === '' ? new URLSearchParams(query).get('uri') : null;
    if (uri !== null) return redirect(routeUri(uri));
    // Software that puts a namespace before a path that has one.
    if (/^ip[fn]s$/.test(root!) && /^\/[^/]/.test(rest!))
      return redirect(`/${root}${rest}${query === '' ? '' : `?${query}`}`);
    const text = decodeRoot(root!);
    const kind = namespace as 'ipfs' | 'ipns';
    if (this.#init.subdomains && site.isName) return redirect(this.#ownHost(request, site, kind, text, rest!, query));
    return this.#content(request, kind, text, rest!, query, {
      prefix: `/${kind}/${root}`,
      ipfsUrl: '',
      redirects: false,
    });
  }

  async #atHost(
    request: HttpRequest,
    { kind, label, above }: Site & { kind: 'ipfs' | 'ipns' },
    path: string,
    query: string,
  ): Promise<HttpReply> {
    const isName = kind === 'ipns' && ipnsKey(label) === undefined;
    const text = isName ? outlineName(label) : label;
    const ipfsUrl = `${this.#scheme(request)}://${above}`;
    return this.#content(request, kind, text, path, query, { prefix: '', ipfsUrl, redirects: true });
  }

  async #content(
    request: HttpRequest,
    kind: 'ipfs' | 'ipns',
    text: string,
    rest: string,
    query: string,
    place: Place,
  ): Promise<HttpReply> {
    const path = parsePath(rest);
    const named = pathHeaders(kind, text, path);
    let reply: HttpReply;
    try {
      reply = await this.#answer(request, kind, text, path, query, place);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      reply = errorReply(request, error);
    }
    Object.assign(reply.headers, named);
    return reply;
  }

  async #answer(
    request: HttpRequest,
    kind: 'ipfs' | 'ipns',
    text: string,
    path: ContentPath,
    query: string,
    place: Place,
  ): Promise<HttpReply> {
    if (kind === 'ipns') {
      const params = new URLSearchParams(query);
      if (wantedFormat(request.headers, params).format === 'ipns-record' && path.segments.length === 0) {
        const { name, resolved } = await this.#init.names.record(text, request.signal);
        return recordReply(request, name, resolved, params.get('filename'));
      }
    }
    const named: Omit<NamedRoot, 'ttlMs'> & { ttlMs: number | undefined } =
      kind === 'ipfs'
        ? { cid: parseCid(text), segments: [], ttlMs: undefined }
        : await this.#init.names.root(text, request.signal);
    const namespacePath = `/${kind}/${text}`;
    const { cid, segments, ttlMs } = named;
    return this.#init.content.serve(request, {
      root: cid,
      above: segments,
      ttlMs,
      namespacePath,
      path,
      query,
      ...place,
    });
  }

  /** Where content of a path has its own host. Only the root is looked at; the rest is preserved as it came. */
  #ownHost(
    request: HttpRequest,
    { host }: Site,
    kind: 'ipfs' | 'ipns',
    text: string,
    rest: string,
    query: string,
  ): string {
    const forwarded = HOST.exec(this.#forwarded(request, 'x-forwarded-host') ?? '')?.[0];
    const label = kind === 'ipfs' ? cidLabel(parseCid(text)) : nameLabel(text);
    const search = query === '' ? '' : `?${query}`;
    return `${this.#scheme(request)}://${label}.${kind}.${forwarded ?? host}${rest === '' ? '/' : rest}${search}`;
  }

  #scheme(request: HttpRequest): string {
    return this.#forwarded(request, 'x-forwarded-proto') === 'https' ? 'https' : 'http';
  }

  /** What our own proxy says of the request; anybody else could say it too. */
  #forwarded({ headers, client }: HttpRequest, name: string): string | undefined {
    return this.#init.trustProxy && isLoopback(client) ? headers[name]?.toString() : undefined;
  }
}

function nameLabel(text: string): string {
  const name = nameOf(text);
  return name.includes('.') ? inlineName(name) : name;
}

/** `ipfs://CID/path` and `ipns://NAME/path` as a path of this host. */
function routeUri(uri: string): string {
  const match = /^(ipfs|ipns):\/\/([^/?#]+)([^?#]*)(\?[^#]*)?/.exec(uri);
  if (match === null) throw new HttpError(400, 'URI_INVALID', 'uri is not an address of ipfs: or ipns:');
  const [, namespace, root, path, search = ''] = match;
  return encodeURI(decodeURI(`/${namespace}/${root}${path}`)) + search;
}

function decodeRoot(encoded: string): string {
  if (encoded === '') throw new HttpError(400, 'CID_INVALID', 'A content path is /ipfs/CID or /ipns/NAME');
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new HttpError(400, 'CID_INVALID', 'The root of the path is not percent-encoded UTF-8');
  }
}

function redirect(location: string): HttpReply {
  return { status: 301, headers: { location, 'content-type': 'text/plain; charset=utf-8' } };
}

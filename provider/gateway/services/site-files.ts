import type { CID } from 'multiformats/cid';
import {
  BlockReader,
  decodeUnixFs,
  DAG_PB,
  fileReply,
  findEntry,
  findRule,
  isDirectory,
  parsePath,
  resolvePath,
  withQuery,
  type ContentPath,
} from '../content/index.ts';
import { HttpError, matchesTag, type HttpReply, type HttpRequest } from '../http/index.ts';
import { SITE_PATHS_MAX } from '../limits.ts';
import type { GetBlock } from '../../store/index.ts';
import { encodedTags } from './compress.ts';

/** What a path of a site is: a file, a rule of `_redirects`, or nothing, and then it is the handler's. */
type Found =
  | { kind: 'file'; cid: CID; name: string; status: number }
  | { kind: 'slash' }
  | { kind: 'redirect'; to: string; status: number }
  | { kind: 'none' };

/** The static files of services. What a path of a root is never changes, so it is looked up once. */
export class SiteFiles {
  readonly #getBlock: GetBlock;
  readonly #blockTimeoutMs: number;
  readonly #found = new Map<string, Found>();

  constructor(getBlock: GetBlock, blockTimeoutMs: number) {
    this.#getBlock = getBlock;
    this.#blockTimeoutMs = blockTimeoutMs;
  }

  /**
   * The answer to GET or HEAD of a path; undefined when the handler has it.
   * @param path as it was sent, without the query
   */
  async reply(
    request: HttpRequest,
    site: CID,
    { path, search, isOwnOrigin }: { path: string; search: string; isOwnOrigin: boolean },
  ): Promise<HttpReply | undefined> {
    const key = `${isOwnOrigin} ${site} ${path}`;
    let found = this.#found.get(key);
    if (found === undefined) {
      found = await this.#find(this.#reader(request), site, parsePath(path), isOwnOrigin);
      if (this.#found.size >= SITE_PATHS_MAX) this.#found.delete(this.#found.keys().next().value!);
      this.#found.set(key, found);
    }
    if (found.kind === 'none') return undefined;
    if (found.kind === 'redirect') {
      const location = withQuery(found.to, search.slice(1));
      return { status: found.status, headers: { location, 'cache-control': 'no-cache' } };
    }
    if (found.kind === 'slash') {
      // Relative, so that it holds below /workswap/NAME too.
      const name = path.slice(path.lastIndexOf('/') + 1);
      return { status: 301, headers: { location: `./${name}/${search}`, 'cache-control': 'no-cache' } };
    }
    const { cid, name, status } = found;
    const etag = `"${cid}"`;
    const headers = { 'cache-control': 'public, no-cache', 'x-ipfs-roots': `${site},${cid}` };
    if (status === 200 && matchesTag(request.headers['if-none-match'], encodedTags(etag))) {
      return { status: 304, headers: { ...headers, etag } };
    }
    return fileReply(request, this.#reader(request), { cid, name, etag, headers, status });
  }

  #reader({ signal }: HttpRequest): BlockReader {
    return new BlockReader(this.#getBlock, signal, this.#blockTimeoutMs);
  }

  async #find(reader: BlockReader, site: CID, path: ContentPath, isOwnOrigin: boolean): Promise<Found> {
    const exact = await this.#exact(reader, site, path, 200);
    if (exact !== undefined) return exact;
    const rule = isOwnOrigin ? await findRule(reader, site, path) : undefined;
    if (rule === undefined) return { kind: 'none' };
    if (rule.status >= 300 && rule.status <= 308) return { kind: 'redirect', ...rule };
    const target = parsePath(rule.to.split(/[?#]/)[0]!);
    const page = await this.#exact(reader, site, { ...target, hasSlash: true }, rule.status);
    if (page !== undefined) return page;
    throw new HttpError(500, 'REDIRECTS_INVALID', `_redirects: ${rule.to} is not in the site`);
  }

  async #exact(reader: BlockReader, site: CID, path: ContentPath, status: number): Promise<Found | undefined> {
    let resolved;
    try {
      resolved = await resolvePath(reader, site, path.segments);
    } catch (error) {
      if (error instanceof HttpError && (error.code === 'PATH_NOT_FOUND' || error.status === 501)) return undefined;
      throw error;
    }
    const { cid, bytes } = resolved;
    const name = path.segments.at(-1) ?? '';
    if (cid.code !== DAG_PB) return { kind: 'file', cid, name, status };
    const node = decodeUnixFs(cid, bytes);
    if (!isDirectory(node)) return { kind: 'file', cid, name, status };
    const index = await findEntry(reader, node, 'index.html');
    if (index === undefined) return undefined;
    return path.hasSlash ? { kind: 'file', cid: index, name: 'index.html', status } : { kind: 'slash' };
  }
}

import { createHash } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { DNSLINK_KEPT_MS } from '../services/index.ts';
import { disposition, FORMAT_TYPES, ipnsKey, parseCid, parsePath } from './content/index.ts';
import { HttpError, matchesTag, type HttpReply, type HttpRequest } from './http/index.ts';
import type { GatewayInit, ResolvedIpns } from './types.ts';

const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)+$/i;
/** Names that lead to names. */
const STEPS_MAX = 8;
const CONTENT_PATH = /^\/(ipfs|ipns)\/([^/]+)(\/.*)?$/s;

/** The content behind a name. */
export interface NamedRoot {
  cid: CID;
  /** Where in it the name points. */
  segments: string[];
  /** How long the answer holds: as long as the shortest on the way. */
  ttlMs: number;
}

/** Names under /ipns: keys, by their signed records, and host names, by DNSLink. Either may lead to another name. */
export class Names {
  readonly #init: { [K in 'resolveIpns' | 'resolveDnsLink']: GatewayInit[K] | undefined };

  constructor(init: { [K in 'resolveIpns' | 'resolveDnsLink']: GatewayInit[K] | undefined }) {
    this.#init = init;
  }

  /** @throws HttpError 400, 404, 501, 502 */
  async record(text: string, signal: AbortSignal): Promise<{ name: string; resolved: ResolvedIpns }> {
    const name = nameOf(text);
    const { resolveIpns } = this.#init;
    if (name.includes('.')) throw new HttpError(400, 'FORMAT_INVALID', 'A host name has no IPNS record');
    if (resolveIpns === undefined) throw new HttpError(501, 'NAMES_OFF', 'This gateway resolves no names');
    try {
      return { name, resolved: await resolveIpns(name, signal) };
    } catch (error) {
      signal.throwIfAborted();
      throw asNameError(error, name);
    }
  }

  /** @throws HttpError 400, 404, 501, 502 */
  async root(text: string, signal: AbortSignal): Promise<NamedRoot> {
    let name = nameOf(text);
    let ttlMs = Infinity;
    let behind = '';
    for (let step = 0; step < STEPS_MAX; step++) {
      const answer = name.includes('.') ? await this.#dnsLink(name) : await this.#record(name, signal);
      ttlMs = Math.min(ttlMs, answer.ttlMs);
      const [, namespace, root, rest = ''] = CONTENT_PATH.exec(answer.value) ?? [];
      if (root === undefined) throw leadsNowhere(name, `to ${JSON.stringify(answer.value.slice(0, 200))}`);
      behind = `${rest}/${behind}`;
      try {
        // What stands in a record is no URL: a percent sign is one.
        if (namespace === 'ipfs') {
          const { segments } = parsePath(encodeURI(behind.toWellFormed()));
          return { cid: parseCid(root), segments, ttlMs };
        }
        name = nameOf(root);
      } catch (error) {
        throw leadsNowhere(name, `to ${JSON.stringify(answer.value.slice(0, 200))}: ${(error as Error).message}`);
      }
    }
    throw leadsNowhere(text, `over ${STEPS_MAX} other names, which is the limit`);
  }

  async #record(name: string, signal: AbortSignal): Promise<{ value: string; ttlMs: number }> {
    const { value, ttlMs, expiresMs } = (await this.record(name, signal)).resolved;
    return { value, ttlMs: Math.max(0, Math.min(ttlMs, expiresMs - Date.now())) };
  }

  async #dnsLink(host: string): Promise<{ value: string; ttlMs: number }> {
    const { resolveDnsLink } = this.#init;
    if (resolveDnsLink === undefined) {
      throw new HttpError(501, 'DNSLINK_OFF', 'This gateway does not ask DNS for names ([services] dnslink is off)');
    }
    try {
      const values = await resolveDnsLink(host);
      return { value: values.find((value) => CONTENT_PATH.test(value)) ?? values[0]!, ttlMs: DNSLINK_KEPT_MS };
    } catch (error) {
      throw asNameError(error, host);
    }
  }
}

/** A key's name as `k51...`, or a host name. @throws HttpError 400 */
export function nameOf(text: string): string {
  const name = ipnsKey(text) ?? (DNS_NAME.test(text) ? text.toLowerCase() : undefined);
  if (name !== undefined) return name;
  throw new HttpError(400, 'NAME_INVALID', `${JSON.stringify(text.slice(0, 128))} is no IPNS name`);
}

function leadsNowhere(name: string, where: string): HttpError {
  return new HttpError(502, 'NAME_LEADS_NOWHERE', `The name ${name} leads ${where}`);
}

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
function asNameError(error: unknown, name: string): unknown {
  if (!(error instanceof WorkswapError) || error instanceof HttpError) return error;
  const { code, message, retryable } = error;
  if (code === 'SERVICE_NOT_FOUND') return new HttpError(404, 'NAME_NOT_FOUND', message, { retryable, cause: error });
  return new HttpError(502, code, `The name ${name} cannot be used: ${message}`, { retryable, cause: error });
}

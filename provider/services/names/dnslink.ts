import { Resolver } from 'node:dns/promises';
import { isServiceName } from '../../../sdk/protocol/index.ts';
import { ServiceError } from '../errors.ts';

const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const PREFIX = 'dnslink=';
const TIMEOUT_MS = 3_000;
/** DNS says how long an answer holds, and the resolver does not tell us. */
export const DNSLINK_KEPT_MS = 60_000;
const KEPT_MAX = 1_000;
const VALUES_MAX = 8;
const RECORD_CHARACTERS_MAX = 1_024;

/** What a name with dots stands for: the TXT record `_dnslink.NAME` with `dnslink=/ipns/k51...`, of content also `/ipfs/CID/path`. */
export class DnsLink {
  readonly #resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  readonly #kept = new Map<string, { values: readonly string[]; untilMs: number }>();

  /** @param servers IP addresses, with ports where they are not 53; by default those of the machine */
  constructor(servers?: readonly string[]) {
    if (servers !== undefined) this.#resolver.setServers(servers);
  }

  /** The service behind a host. @throws ServiceError SERVICE_NOT_FOUND */
  async resolve(host: string): Promise<string> {
    const names = (await this.values(host)).map((value) => /^\/ipns\/([^/]+)\/?$/.exec(value)?.[1] ?? '');
    const name = names.find(isServiceName);
    if (name === undefined) throw notFound(host, `it has no TXT record ${PREFIX}/ipns/k51...`);
    return name;
  }

  /** All content paths that a host stands for. @throws ServiceError SERVICE_NOT_FOUND when there is none */
  async values(host: string): Promise<readonly string[]> {
    const kept = this.#kept.get(host);
    if (kept !== undefined && performance.now() < kept.untilMs) return kept.values;
    if (!HOST.test(host)) throw notFound(host, 'it is not a host name');
    let records: string[][];
    try {
      records = await this.#resolver.resolveTxt(`_dnslink.${host}`);
    } catch (error) {
      throw notFound(host, (error as Error).message, error);
    }
    // One that is too long is left out: cut short it would lead elsewhere.
    const links = records
      .map((parts) => parts.join(''))
      .filter((text) => text.startsWith(`${PREFIX}/ip`) && text.length <= RECORD_CHARACTERS_MAX);
    if (links.length === 0) throw notFound(host, `it has no TXT record ${PREFIX}/ipfs/... or ${PREFIX}/ipns/...`);
    const values = links.slice(0, VALUES_MAX).map((text) => text.slice(PREFIX.length));
    if (this.#kept.size >= KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(host, { values, untilMs: performance.now() + DNSLINK_KEPT_MS });
    return values;
  }
}

/** As a configuration says it: false is off, true asks the machine's servers. */
export function openDnsLink(setting: boolean | readonly string[]): DnsLink | undefined {
  return setting === false ? undefined : new DnsLink(setting === true ? undefined : setting);
}

function notFound(host: string, reason: string, cause?: unknown): ServiceError {
  return new ServiceError('SERVICE_NOT_FOUND', `_dnslink.${host.slice(0, 253)} leads nowhere: ${reason}.`, cause);
}

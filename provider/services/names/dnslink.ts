import { Resolver } from 'node:dns/promises';
import { isServiceName } from '../../../sdk/protocol/index.ts';
import { ServiceError } from '../errors.ts';

const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const PREFIX = 'dnslink=/ipns/';
const TIMEOUT_MS = 3_000;
const KEPT_MS = 60_000;
const KEPT_MAX = 1_000;

/** What a name with dots stands for: the TXT record `_dnslink.NAME` with `dnslink=/ipns/k51...`. */
export class DnsLink {
  readonly #resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  readonly #kept = new Map<string, { name: string; untilMs: number }>();

  /** @param servers IP addresses, with ports where they are not 53; by default those of the machine */
  constructor(servers?: readonly string[]) {
    if (servers !== undefined) this.#resolver.setServers(servers);
  }

  /** @throws ServiceError SERVICE_NOT_FOUND */
  async resolve(host: string): Promise<string> {
    const kept = this.#kept.get(host);
    if (kept !== undefined && performance.now() < kept.untilMs) return kept.name;
    if (!HOST.test(host)) throw notFound(host, 'it is not a host name');
    let records: string[][];
    try {
      records = await this.#resolver.resolveTxt(`_dnslink.${host}`);
    } catch (error) {
      throw notFound(host, (error as Error).message, error);
    }
    const links = records.map((parts) => parts.join('')).filter((text) => text.startsWith(PREFIX));
    const name = links.map((text) => text.slice(PREFIX.length).replace(/\/$/, '')).find(isServiceName);
    if (name === undefined) throw notFound(host, `it has no TXT record ${PREFIX}k51...`);
    if (this.#kept.size >= KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(host, { name, untilMs: performance.now() + KEPT_MS });
    return name;
  }
}

function notFound(host: string, reason: string, cause?: unknown): ServiceError {
  return new ServiceError('SERVICE_NOT_FOUND', `_dnslink.${host.slice(0, 253)} leads to no service: ${reason}.`, cause);
}

import { Resolver } from 'node:dns/promises';
import { isServiceName } from '../../../sdk/protocol/index.ts';
import { ServiceError } from '../errors.ts';

const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const PREFIX = 'dnslink=';
const TIMEOUT_MS = 3_000;
/** DNS says how long an answer holds, and the resolver does not tell us. */
export const DNSLINK_KEPT_MS = 60_000;
/** A failure soon is none any more, and until then a visitor's requests ask nobody. */
const FAILURE_KEPT_MS = 10_000;
const KEPT_MAX = 1_000;
const VALUES_MAX = 8;
const RECORD_CHARACTERS_MAX = 1_024;

/** What a name with dots stands for: the TXT record `_dnslink.NAME` with `dnslink=/ipns/k51...`, of content also `/ipfs/CID/path`. */
export class DnsLink {
  readonly #resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  readonly #found = new Kept<readonly string[]>(DNSLINK_KEPT_MS);
  /** Apart from what was found: names that strangers make up put nothing out. */
  readonly #failed = new Kept<ServiceError>(FAILURE_KEPT_MS);
  readonly #asking = new Map<string, Promise<readonly string[]>>();

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
    if (!HOST.test(host)) throw notFound(host, 'it is not a host name');
    const name = host.toLowerCase();
    const failure = this.#failed.get(name);
    if (failure !== undefined) throw failure;
    return this.#found.get(name) ?? this.#asking.get(name) ?? this.#ask(name);
  }

  /** Whoever asks for the same name meanwhile waits for the same answer. */
  #ask(name: string): Promise<readonly string[]> {
    const asking = this.#lookUp(name).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  async #lookUp(name: string): Promise<readonly string[]> {
    try {
      const values = linksIn(name, await this.#resolver.resolveTxt(`_dnslink.${name}`));
      this.#found.set(name, values);
      return values;
    } catch (error) {
      const failure = error instanceof ServiceError ? error : notFound(name, (error as Error).message, error);
      this.#failed.set(name, failure);
      throw failure;
    }
  }
}

/** @throws ServiceError SERVICE_NOT_FOUND */
function linksIn(name: string, records: string[][]): readonly string[] {
  // One that is too long is left out: cut short it would lead elsewhere.
  const links = records
    .map((parts) => parts.join(''))
    .filter((text) => text.startsWith(`${PREFIX}/ip`) && text.length <= RECORD_CHARACTERS_MAX);
  if (links.length === 0) throw notFound(name, `it has no TXT record ${PREFIX}/ipfs/... or ${PREFIX}/ipns/...`);
  return links.slice(0, VALUES_MAX).map((text) => text.slice(PREFIX.length));
}

/** The last answers, each for the same time. */
class Kept<T> {
  readonly #entries = new Map<string, { value: T; untilMs: number }>();
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get(name: string): T | undefined {
    const entry = this.#entries.get(name);
    return entry !== undefined && performance.now() < entry.untilMs ? entry.value : undefined;
  }

  set(name: string, value: T): void {
    this.#entries.delete(name);
    if (this.#entries.size >= KEPT_MAX) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(name, { value, untilMs: performance.now() + this.#ms });
  }
}

/** As a configuration says it: false is off, true asks the machine's servers. */
export function openDnsLink(setting: boolean | readonly string[]): DnsLink | undefined {
  return setting === false ? undefined : new DnsLink(setting === true ? undefined : setting);
}

function notFound(host: string, reason: string, cause?: unknown): ServiceError {
  return new ServiceError('SERVICE_NOT_FOUND', `_dnslink.${host.slice(0, 253)} leads nowhere: ${reason}.`, cause);
}

import { HttpError } from './http/index.ts';
import { HOSTS_MAX } from './limits.ts';

/** What a Host header names. */
export type Site =
  | { kind: 'main'; host: string; name: string; isName: boolean }
  | { kind: 'service'; name: string; host: string }
  | { kind: 'ipfs' | 'ipns'; label: string; host: string; above: string };

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const LOOPBACK = /^(?:127\.[\d.]+|\[::1\])$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Sorts requests by host. Only the address that was connected to, this machine's loopback, `localhost` and the domains of
 * the configuration are ours: a page of a stranger whose name was bound to this address (DNS rebinding) is not let in
 * with a name of its own.
 */
export class Hosts {
  readonly #domains: readonly string[];
  readonly #known = new Map<string, Site>();

  constructor(domains: readonly string[]) {
    this.#domains = ['localhost', ...domains.map((domain) => domain.toLowerCase())];
  }

  /**
   * @param local IP address of our end of the connection
   * @throws HttpError 421, 400
   */
  siteOf(header: string | undefined, local: string): Site {
    let site = this.#known.get(header ?? '');
    if (site === undefined) {
      site = this.#read(header);
      if (this.#known.size >= HOSTS_MAX) this.#known.delete(this.#known.keys().next().value!);
      this.#known.set(header ?? '', site);
    }
    if (site.kind === 'main' && !site.isName && !this.#isOwnAddress(site.name, local)) throw unknown(site.name);
    return site;
  }

  #isOwnAddress(address: string, local: string): boolean {
    return address === asHost(local) || LOOPBACK.test(address) || this.#domains.includes(address);
  }

  #read(header = ''): Site {
    const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(:\d{1,5})?$/i.exec(header);
    if (match === null) throw new HttpError(400, 'HOST_INVALID', 'The Host header is not a name with a port');
    const name = match[1]!.toLowerCase();
    const port = match[2] ?? '';
    const host = `${name}${port}`;
    if (name.startsWith('[') || IPV4.test(name)) return { kind: 'main', host, name: canonical(name), isName: false };
    if (this.#domains.includes(name)) return { kind: 'main', host, name, isName: true };
    const domain = this.#domains.find((own) => name.endsWith(`.${own}`));
    const labels = domain === undefined ? [] : name.slice(0, -domain.length - 1).split('.');
    const [label = '', namespace] = labels;
    if (labels.length === 1 && LABEL.test(label)) return { kind: 'service', name: label, host };
    if (labels.length === 2 && (namespace === 'ipfs' || namespace === 'ipns') && LABEL.test(label)) {
      return { kind: namespace, label, host, above: `${domain}${port}` };
    }
    throw unknown(name);
  }
}

function unknown(name: string): HttpError {
  return new HttpError(421, 'HOST_UNKNOWN', `This gateway does not answer for the host ${name.slice(0, 253)}`);
}

/** One way to write each address. @throws HttpError 400 */
function canonical(address: string): string {
  const url = URL.parse(`http://${address}`);
  if (url === null) throw new HttpError(400, 'HOST_INVALID', 'The Host header is not an address');
  return url.hostname;
}

/** The address of a socket as it stands in a Host header. */
function asHost(local: string): string {
  const address = local.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return address.includes(':') ? `[${address}]` : address;
}

/** A DNSLink name as one label, and back: `-` is doubled, then `.` becomes `-`. */
export function inlineName(name: string): string {
  return name.replaceAll('-', '--').replaceAll('.', '-');
}

export function outlineName(label: string): string {
  return label.replaceAll(/--|-/g, (dashes) => (dashes === '--' ? '-' : '.'));
}

import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import type { CID } from 'multiformats/cid';
import { UnreachableError } from '../../sdk/client/index.ts';
import {
  isServiceName,
  openAcceptance,
  openDescriptor,
  type Endpoint,
  type SealedDescriptor,
  type ServicePolicy,
} from '../../sdk/protocol/index.ts';
import { createConsumer, type Consumer } from '../consumer.ts';
import {
  askAbout,
  checkRecord,
  hostAt,
  makePublication,
  rollBackAt,
  ServiceKeys,
  type MessagesFigures,
  type Publication,
} from '../services/index.ts';
import { MaintainerError } from './errors.ts';
import { loadMaintainerKey, readLocalProvider } from './local-provider.ts';

export interface MaintainerInit {
  /** The node's directory: keys of services in `keys/`, and the provider that runs in it. */
  dataDir: string;
  /** Where the blocks that are published are kept until the endpoints have them; in memory by default. */
  blocksDir?: string;
}

/** What a maintainer decides about a service; what is left out stays as it was. */
export interface ServiceChanges {
  handler?: CID;
  site?: CID | undefined;
  /** Multiaddrs of providers, ending in /p2p/PEER-ID. Default for a new service: the provider of the directory. */
  endpoints?: string[];
  sponsor?: ServicePolicy['sponsor'];
  expiresMs?: number;
}

/** What became of a request to one endpoint. */
export interface EndpointResult {
  peer: string;
  accepted: boolean;
  /** It was taken off the list and has let go. */
  removed?: boolean;
  error?: { code: string; message: string };
}

/** How one endpoint says that the service stands with it. */
export interface EndpointStatus {
  peer: string;
  addrs: string[];
  /** Serves the newest descriptor. */
  accepted: boolean;
  root?: CID;
  commit?: CID;
  /** Of the messages that the service sent there, what is not delivered. */
  messages?: MessagesFigures;
  error?: { code: string; message: string };
}

/**
 * A maintainer's node, for as long as one command takes: it signs descriptors, asks endpoints to host them, and serves
 * them the blocks while they fetch.
 */
export class Maintainer {
  readonly node: Consumer;
  readonly keys: ServiceKeys;
  readonly #dataDir: string;

  private constructor(node: Consumer, dataDir: string) {
    this.node = node;
    this.keys = new ServiceKeys(dataDir);
    this.#dataDir = dataDir;
  }

  static async open({ dataDir, blocksDir }: MaintainerInit): Promise<Maintainer> {
    const privateKey = await loadMaintainerKey(dataDir);
    const node = await createConsumer({ privateKey, ...(blocksDir === undefined ? {} : { dataDir: blocksDir }) });
    return new Maintainer(node, dataDir);
  }

  close(): Promise<void> {
    return this.node.stop();
  }

  /** A new key, and the service under it. @throws ServiceKeyError SERVICE_EXISTS; MaintainerError NOTHING_ACCEPTED */
  async create(short: string, changes: ServiceChanges & { handler: CID }, signal: AbortSignal) {
    const endpoints = await this.endpoints(changes.endpoints);
    const key = await this.keys.create(short);
    const { handler, site, sponsor, expiresMs } = changes;
    const fields = { handler, endpoints, ...defined({ site, sponsor, expiresMs }) };
    return this.#publish(short, key, await makePublication(key, fields, 1), [], undefined, signal);
  }

  /** The next descriptor. Endpoints that are no longer named are told so. */
  async update(short: string, changes: ServiceChanges, signal: AbortSignal, commit?: CID) {
    const key = await this.keys.open(short);
    const before = await this.newest(short, signal);
    const known = before.descriptor;
    const endpoints = changes.endpoints === undefined ? known.endpoints : await this.endpoints(changes.endpoints);
    const publication = await makePublication(
      key,
      {
        handler: changes.handler ?? known.handler,
        endpoints,
        sponsor: changes.sponsor ?? known.policy.sponsor,
        ...defined({ site: 'site' in changes ? changes.site : known.site, expiresMs: changes.expiresMs }),
      },
      known.sequence + 1,
    );
    const gone = known.endpoints.filter(({ peer }) => endpoints.every((endpoint) => endpoint.peer !== peer));
    return this.#publish(short, key, publication, gone, commit, signal);
  }

  /** A service that moves here from an archive: the descriptor names our endpoints, the state goes on from `commit`. */
  async move(
    short: string,
    from: SealedDescriptor,
    commit: CID | undefined,
    endpoints: string[] | undefined,
    signal: AbortSignal,
  ) {
    const key = await this.keys.open(short);
    const known = await this.newest(short, signal).catch(() => undefined);
    const { handler, site, policy, sequence } = from.descriptor;
    const fields = {
      handler,
      endpoints: await this.endpoints(endpoints),
      sponsor: policy.sponsor,
      ...defined({ site }),
    };
    const next = Math.max(sequence, known?.descriptor.sequence ?? 0) + 1;
    return this.#publish(short, key, await makePublication(key, fields, next), [], commit, signal);
  }

  /** The newest descriptor that we kept or that its endpoints have. @throws MaintainerError SERVICE_UNPUBLISHED */
  async newest(short: string, signal: AbortSignal): Promise<SealedDescriptor> {
    const kept = await this.keys.published(short);
    const name = await this.nameOf(short);
    let newest = kept === undefined ? undefined : await openDescriptor(kept);
    const places = newest?.descriptor.endpoints ?? (await this.endpoints(undefined));
    for (const endpoint of places) {
      const asked = await this.#ask(endpoint, name, signal).catch(() => undefined);
      if (asked?.sealed === undefined) continue;
      if (asked.sealed.descriptor.sequence > (newest?.descriptor.sequence ?? -1)) newest = asked.sealed;
    }
    if (newest !== undefined) return newest;
    throw new MaintainerError(
      'SERVICE_UNPUBLISHED',
      `Nothing was published for "${short}" yet. "workswap service create" does, after its key file is removed.`,
    );
  }

  async status(short: string, sealed: SealedDescriptor, signal: AbortSignal): Promise<EndpointStatus[]> {
    const name = await this.nameOf(short);
    return Promise.all(
      sealed.descriptor.endpoints.map(async (endpoint): Promise<EndpointStatus> => {
        try {
          const { answer, accepts } = await this.#ask(endpoint, name, signal);
          const { root, commit, messages } = answer;
          return {
            ...endpoint,
            accepted: accepts?.equals(sealed.cid) ?? false,
            ...defined({ root, commit, messages }),
          };
        } catch (error) {
          signal.throwIfAborted();
          return { ...endpoint, accepted: false, error: errorOf(error) };
        }
      }),
    );
  }

  /** At every endpoint that has the commit. */
  async rollBack(short: string, { peer }: EndpointStatus, commits: { from: CID; to: CID }, signal: AbortSignal) {
    return rollBackAt(this.node.libp2p, peerIdFromString(peer), commits, await this.keys.open(short), signal);
  }

  /** The IPNS name of a short name, or of itself. @throws ServiceKeyError SERVICE_UNKNOWN */
  async nameOf(text: string): Promise<string> {
    const own = await this.keys.nameOf(text);
    if (own !== undefined) return own;
    if (isServiceName(text)) return text;
    await this.keys.open(text);
    throw new MaintainerError('SERVICE_UNPUBLISHED', `There is no service "${text}".`);
  }

  /** Addresses as endpoints; by default those of the provider that runs in the directory. @throws UnreachableError */
  async endpoints(addrs: string[] | undefined): Promise<Endpoint[]> {
    if (addrs === undefined) {
      const local = await readLocalProvider(this.#dataDir);
      if (local !== undefined) return [{ peer: local.peerId, addrs: local.addrs.slice(0, 8) }];
      throw new UnreachableError(
        `No provider runs in ${this.#dataDir}. Start one with "workswap provider --data ${this.#dataDir}", or name one with --endpoint.`,
      );
    }
    const endpoints = new Map<string, string[]>();
    for (const addr of addrs) {
      const peer = /\/p2p\/([^/]+)$/.exec(addr)?.[1];
      if (peer === undefined)
        throw new UnreachableError(`${addr} does not end in /p2p/PEER-ID; the provider prints its address.`);
      endpoints.set(peer, [...(endpoints.get(peer) ?? []), addr]);
    }
    return [...endpoints].map(([peer, own]) => ({ peer, addrs: own }));
  }

  async dial({ addrs }: Endpoint, signal: AbortSignal): Promise<Libp2p> {
    const { libp2p } = this.node;
    try {
      await libp2p.dial(
        addrs.map((addr) => multiaddr(addr)),
        { signal },
      );
      return libp2p;
    } catch (error) {
      signal.throwIfAborted();
      throw new UnreachableError(`No provider answers at ${addrs.join(', ')}: ${(error as Error).message}`, error);
    }
  }

  async #publish(
    short: string,
    key: PrivateKey,
    publication: Publication,
    gone: Endpoint[],
    commit: CID | undefined,
    signal: AbortSignal,
  ): Promise<{ publication: Publication; results: EndpointResult[] }> {
    const ask = async (endpoint: Endpoint): Promise<EndpointResult> => {
      const { peer } = endpoint;
      try {
        const libp2p = await this.dial(endpoint, signal);
        const id: PeerId = peerIdFromString(peer);
        const accepted = await hostAt(libp2p, id, publication, key, { commit, signal });
        return accepted === undefined ? { peer, accepted: false, removed: true } : { peer, accepted: true };
      } catch (error) {
        signal.throwIfAborted();
        return { peer, accepted: false, error: errorOf(error) };
      }
    };
    const { endpoints } = publication.sealed.descriptor;
    const results = await Promise.all([...endpoints, ...gone].map(ask));
    // A descriptor that any endpoint has seen is public: the next one needs a higher sequence.
    await this.keys.keepPublished(short, publication.descriptor);
    if (results.some(({ accepted }) => accepted) || endpoints.length === 0) return { publication, results };
    const reasons = results.map(({ peer, error }) => `${peer}: ${error?.message ?? 'refused'}`).join('; ');
    throw new MaintainerError('NOTHING_ACCEPTED', `No endpoint hosts ${short}. ${reasons}`);
  }

  async #ask(endpoint: Endpoint, name: string, signal: AbortSignal) {
    const libp2p = await this.dial(endpoint, signal);
    const answer = await askAbout(libp2p, peerIdFromString(endpoint.peer), name, signal);
    await checkRecord(name, answer.record, Date.now());
    const sealed = answer.descriptor === undefined ? undefined : await openDescriptor(answer.descriptor);
    const acceptance = answer.acceptance === undefined ? undefined : await openAcceptance(answer.acceptance);
    const isOwn = acceptance?.provider === endpoint.peer && acceptance.service === name;
    return {
      answer,
      sealed: sealed?.descriptor.name === name ? sealed : undefined,
      accepts: isOwn ? acceptance.descriptor : undefined,
    };
  }
}

function errorOf(error: unknown): { code: string; message: string } {
  const { code, message } = error as Error & { code?: string };
  return { code: code ?? 'INTERNAL', message };
}

/** Without the fields that are undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

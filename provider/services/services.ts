import { join } from 'node:path';
import { peerIdFromString } from '@libp2p/peer-id';
import type { PeerId } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { isExpired, type Tariff } from '../../sdk/protocol/index.ts';
import type { JobService } from '../jobs/index.ts';
import type { ModuleLoader } from '../modules/index.ts';
import type { Peer } from '../peer.ts';
import type { RoutingConfig } from '../routing/index.ts';
import { openDatabase, type GetBlock } from '../store/index.ts';
import { ServiceError } from './errors.ts';
import { Hosting, type Hosted, type HostPolicy } from './hosting/index.ts';
import { SERVICES_LIMITS, type ServicesLimits } from './limits.ts';
import {
  descriptorOf,
  NameResolver,
  NameStore,
  PeersSource,
  Publisher,
  refuseOlder,
  ServiceKeys,
  type NameRecord,
} from './names/index.ts';
import { nameRouters } from './consumer-services.ts';
import { ServicesServer } from './net/index.ts';
import { RemoteRunner, type RemoteRunnerInit } from './runner/remote-runner.ts';
import { Senders } from './senders.ts';
import { Sponsoring } from './sponsoring.ts';
import type { MessagesFigures } from './types.ts';
import { openStates, type Outbox } from './state/index.ts';

export interface ProviderServicesInit {
  peer: Peer;
  dataDir: string | undefined;
  modules: ModuleLoader;
  getBlock: GetBlock;
  tariff: () => Tariff;
  routing: RoutingConfig;
  policy: HostPolicy;
  allowed: readonly string[];
  limits?: Partial<ServicesLimits>;
  /** Names whose records others gave us to keep, besides those of hosted services: they are published as well. */
  keptNames?: () => Iterable<string>;
  /** What is not delivered of a service's messages. */
  messages: (service: string) => MessagesFigures;
  onError: (error: unknown) => void;
}

/** Everything of a provider that has to do with services, as the other rooms of the house use it. */
export interface ProviderServices {
  hosting: Hosting;
  /** For jobs. @throws ServiceError SERVICE_NOT_HOSTED, SERVICE_EXPIRED */
  forJob(name: string): JobService;
  /** Whether a peer may send messages in a service's name. @throws WorkswapError SENDER_UNPROVEN; OverCreditError */
  speaksFor(service: string, peer: PeerId, signal: AbortSignal): Promise<void>;
  /** What services here have sent. */
  readonly outbox: Outbox;
  /** Services that are elsewhere. */
  remoteRunner(connect: RemoteRunnerInit['connect'], taskLimits: RemoteRunnerInit['taskLimits']): RemoteRunner;
  /** By IPNS name or short name; at once when the name is known. @throws ServiceError SERVICE_NOT_FOUND, SERVICE_EXPIRED */
  find(name: string): Hosted | Promise<Hosted>;
  /** Everything of services that is in the block store and has to stay there. */
  roots(): CID[];
  /** What an IPNS name stands for: of services here from our own records. @throws ServiceError, RecordError */
  resolveName(name: string, signal: AbortSignal): Promise<NameRecord>;
  /** Keeps a checked record of a name that is no service's, for whoever asks. @throws RecordError when it knows a newer one */
  keepName(record: NameRecord): void;
  start(): Promise<void>;
  /** Before the jobs end: no new questions. */
  stop(): Promise<void>;
  /** After the jobs have ended. */
  close(): Promise<void>;
}

/** @throws StoreError */
export function openProviderServices(init: ProviderServicesInit): ProviderServices {
  const { peer, dataDir, onError } = init;
  const { libp2p } = peer;
  const limits = { ...SERVICES_LIMITS, ...init.limits };
  const pathOf = (file: string): string => (dataDir === undefined ? ':memory:' : join(dataDir, file));
  const database = openDatabase(pathOf('services.sqlite'));
  const stateDatabase = openDatabase(pathOf('state.sqlite'));
  const names = new NameStore(database, limits.namesMax);
  const states = openStates({
    database: stateDatabase,
    blockstore: peer.blockstore,
    getBlock: init.getBlock,
    // Whoever asked for a root or a commit before it was made is waiting for it.
    onStored: (key, bytes) => peer.bitswap.notifyKey(key, bytes),
    onError,
  });
  const hosting = new Hosting({
    ...init,
    peerId: libp2p.peerId,
    privateKey: peer.privateKey,
    database,
    names,
    keys: dataDir === undefined ? undefined : new ServiceKeys(dataDir),
    states,
    blockstore: peer.blockstore,
    allowed: new Set([...init.allowed, libp2p.peerId.toString()]),
    limits,
    publish: (record) => publisher.publish(record),
  });
  const keptRecords = (): NameRecord[] =>
    [...hosting.list().map(({ name }) => name), ...(init.keptNames?.() ?? [])].flatMap((name) => {
      const record = names.latest(name);
      return record === undefined ? [] : [record];
    });
  const routers = nameRouters(peer, init.routing);
  const publisher = new Publisher(routers, keptRecords, onError);
  const sources = [new PeersSource(libp2p, init.routing.bootstrap, limits), ...routers];
  const resolver = new NameResolver(names, sources, limits);
  const server = new ServicesServer({ libp2p, hosting, names, messages: init.messages, onError });
  const sponsoring = new Sponsoring(limits);
  const { getBlock } = init;
  const senders = new Senders({ libp2p, names, resolver, getBlock, scoreLedger: peer.scoreLedger, limits });

  const valid = (hosted: Hosted): Hosted => {
    if (!isExpired(hosted, Date.now())) return hosted;
    throw new ServiceError(
      'SERVICE_EXPIRED',
      `The descriptor of ${hosted.name} has expired. Its maintainer renews it with "workswap service update".`,
    );
  };
  /** A short name may be one that a command has made since. */
  const findNew = async (name: string): Promise<Hosted> => {
    await hosting.refreshShortNames();
    const hosted = hosting.get(name);
    if (hosted !== undefined) return valid(hosted);
    throw new ServiceError('SERVICE_NOT_FOUND', `This provider hosts no service "${name.slice(0, 100)}".`);
  };
  const jobServices = new WeakMap<Hosted, JobService>();
  const toJobService = (hosted: Hosted): JobService => {
    const { name, handler, state, sponsor, maintainer } = hosted;
    const payer: PeerId | undefined = sponsor === 'maintainer' ? peerIdFromString(maintainer) : undefined;
    const isOurs = maintainer === libp2p.peerId.toString();
    return {
      name,
      handler,
      state,
      sponsorOf: (visitor, priceMaxBytes) =>
        payer !== undefined && !isOurs && sponsoring.covers(name, visitor.toString(), priceMaxBytes)
          ? payer
          : undefined,
      sponsored: (visitor, priceBytes) => sponsoring.add(name, visitor.toString(), priceBytes),
    };
  };
  return {
    hosting,
    forJob(name) {
      const hosted = hosting.get(name);
      if (hosted === undefined) {
        throw new ServiceError('SERVICE_NOT_HOSTED', `This provider does not host ${name}. Resolve the name again.`);
      }
      let service = jobServices.get(valid(hosted));
      if (service === undefined) {
        service = toJobService(hosted);
        jobServices.set(hosted, service);
      }
      return service;
    },
    speaksFor: (name, from, signal) => senders.check(name, from, signal),
    outbox: states.outbox,
    remoteRunner(connect, taskLimits = {}) {
      return new RemoteRunner({
        libp2p,
        resolver,
        keys: undefined,
        dnslink: undefined,
        getBlock,
        connect,
        limits,
        taskLimits,
      });
    },
    find(name) {
      const hosted = hosting.get(name);
      return hosted === undefined ? findNew(name) : valid(hosted);
    },
    roots() {
      const own = hosting.list().flatMap(({ descriptor, handler, site }) => [descriptor, handler, site ?? []].flat());
      return [...own, ...keptRecords().map(descriptorOf), ...states.heads()];
    },
    async resolveName(name, signal) {
      const own = hosting.get(name) === undefined ? undefined : names.latest(name);
      return own ?? (await resolver.resolve(name, signal)).record;
    },
    keepName(record) {
      refuseOlder(record, names.latest(record.name));
      names.put(record, { pinned: true });
      publisher.publish(record);
    },
    async start() {
      await hosting.start();
      publisher.start();
      await server.start();
    },
    async stop() {
      hosting.stop();
      publisher.stop();
      await server.stop();
    },
    async close() {
      await states.close();
      stateDatabase.close();
      names.close();
    },
  };
}

import type { Libp2p, PeerId } from '@libp2p/interface';
import type { Blockstore } from 'interface-blockstore';
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats/cid';
import { sealTariff, WorkswapError } from '../sdk/protocol/index.ts';
import type { Tariff, TariffRates } from '../sdk/protocol/index.ts';
import type { Bitswap } from './bitswap/index.ts';
import { parseConfig } from './config.ts';
import type { ConfigInput } from './config.ts';
import { connectAs } from './connect-as.ts';
import { Activity, createJobs } from './jobs/index.ts';
import type { Jobs, JobsStats } from './jobs/index.ts';
import { defaultPolicy, PersistentScoreLedger } from './ledger/index.ts';
import type { PeerOverride, Reconciled, ScoreLedger } from './ledger/index.ts';
import { checkMailboxPublication, MailboxClient, mailboxName, openMailboxes, type Mailboxes } from './mailbox/index.ts';
import { Deliverer, routesOf } from './messages/index.ts';
import { Settings } from './settings.ts';
import { createModuleLoader } from './modules/index.ts';
import { PROVIDER_RENDEZVOUS } from './routing/index.ts';
import { openPinning, type Pinning } from './pinning/index.ts';
import { createPeer } from './peer.ts';
import type { PeerInit } from './peer.ts';
import { createSandbox } from './sandbox/index.ts';
import { loadMaintainerKey, removeLocalProvider, writeLocalProvider } from './maintainer/index.ts';
import { LocalRunner, openDnsLink, openProviderServices } from './services/index.ts';
import type { DnsLink, NameRecord, ServiceRunner, Services } from './services/index.ts';
import { fetchDag, openFile } from './store/index.ts';
import type { GetBlockOptions, StoredFile } from './store/index.ts';
import type { SandboxStats } from './sandbox/index.ts';

export interface ProviderOptions extends Pick<PeerInit, 'dataDir' | 'privateKey' | 'scoreLedger'> {
  /** As in workswap.toml; what is left out has its default. */
  config?: ConfigInput;
  /** Peer ids whose services are hosted, besides those of `credit.allow`. */
  maintainers?: string[];
  /** Where errors that no consumer can be blamed for are reported. */
  onError?: (error: unknown) => void;
}

/** A running provider. */
export interface Provider {
  peerId: PeerId;
  /** Multiaddrs that consumers can dial, ending in /p2p/PEER-ID. */
  addrs: string[];
  libp2p: Libp2p;
  bitswap: Bitswap;
  scoreLedger: ScoreLedger;
  /** Local blocks with Bitswap behind them: get() fetches what is missing, put() serves whoever waits for it. */
  blocks: Blockstore;
  tariff: Tariff;
  /** The tariff from now on, also after a restart: stronger than the configuration's. */
  setTariff(rates: TariffRates): Promise<void>;
  /** Services that this provider hosts. */
  services: Services;
  /** What is kept here for whom. */
  pinning: Pinning;
  /** Runs them here, without the network and without an account. */
  runner: ServiceRunner;
  /** What an IPNS name stands for: of services here, and of what connected peers and routers know. */
  resolveName(name: string, signal: AbortSignal): Promise<NameRecord>;
  /** What names with dots stand for; undefined when the configuration has it off. */
  readonly dnslink: DnsLink | undefined;
  /**
   * Decides for one peer from now on, also after a restart: stronger than the configuration. undefined takes it back.
   *
   * @throws LedgerError INVALID_POLICY
   */
  setOverride(peer: PeerId, override: PeerOverride | undefined): Promise<void>;
  /** Messages for peers that are offline. */
  readonly mailboxes: Mailboxes;
  /** What services here send. */
  readonly messages: Pick<Deliverer, 'figures' | 'waiting' | 'counts'>;
  /** What was decided here, over the configuration. */
  readonly settings: Settings;
  /** Jobs that run, and what those that ended took. */
  readonly activity: Activity;
  /** Fetches a whole DAG that the provider wants to have. While it is under way, debtors are told that serving it pays. */
  fetch(root: CID, options?: { signal?: AbortSignal }): Promise<{ blocks: number; bytes: number }>;
  /** Announces that we have this block, if the configuration allows it: so others find us without knowing us. */
  provide(cid: CID): void;
  /** Compares our account of a connected peer with the peer's account of us. @throws ReconcileError */
  reconcile(peer: PeerId, options?: { signal?: AbortSignal }): Promise<Reconciled>;
  stats(): { jobs: JobsStats; sandbox: SandboxStats };
  /** Lets running jobs finish for `graceMs` (10 s) and refunds the rest, closes every stream, flushes every store. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

/** Starts a provider: the one public entry of the package. */
export async function createProvider(options: ProviderOptions = {}): Promise<Provider> {
  const config = parseConfig(options.config ?? {}, 'createProvider({ config })');
  const onError = options.onError ?? (() => {});
  const settings = await Settings.open(options.dataDir);
  const overrides = { ...(config.credit['overrides'] ?? defaultPolicy.overrides), ...settings.overrides };
  // Whoever maintains services here from the same machine serves and fetches as a friend does.
  const named = config.credit['allow'] ?? [];
  const own = await maintainersOf(options);
  // What is no list the ledger refuses, with its reason.
  const allow = Array.isArray(named) ? [...(named as string[]), ...own] : (named as string[]);
  /** What was fetched because the operator wants it. */
  const wanted = new Map<string, CID>();
  const credit = { ...config.credit, overrides, allow };
  const peer = await createPeer({ ...options, node: config.node, credit, routing: config.routing });
  const { blockstore, blocks, bitswap, libp2p, scoreLedger } = peer;
  const getBlock = (cid: CID, from?: GetBlockOptions): Promise<Uint8Array> => bitswap.get(cid, from);
  const sandbox = createSandbox({
    ...config.sandbox,
    readFile: async (cid, offset, length, signal, consumer) => (await open(cid, signal, consumer)).read(offset, length),
    fileSize: async (cid, signal, consumer) => (await open(cid, signal, consumer)).size,
  });
  const modules = createModuleLoader({
    getBlock,
    ...config.modules,
    memoryPagesMax: config.sandbox.memoryPagesMax,
  });
  const open = (cid: Uint8Array, signal: AbortSignal, consumer?: string): Promise<StoredFile> =>
    openFile(CID.decode(cid), getBlock, {
      signal,
      ...(consumer === undefined ? {} : { peers: [peerIdFromString(consumer)] }),
    });
  const activity = new Activity();
  let tariff = await publishTariff({ ...config.tariff, ...settings.tariff });
  const { host: policy, ...serviceLimits } = config.services;
  const services = openProviderServices({
    peer,
    dataDir: options.dataDir,
    modules,
    getBlock,
    tariff: () => tariff,
    routing: config.routing,
    policy,
    allowed: allow,
    limits: serviceLimits,
    messages: (service) => deliverer.figures(service),
    keptNames: () => mailboxes.peers().map((owner) => mailboxName(peerIdFromString(owner))),
    onError,
  });
  const { host: mailboxPolicy, ...mailboxLimits } = config.mailbox;
  const mailboxes = await openMailboxes({
    peer,
    dataDir: options.dataDir,
    policy: mailboxPolicy,
    allowed: allow,
    limits: mailboxLimits,
    keepRecord: async (owner, publication) => {
      const { name, sealed } = await checkMailboxPublication(owner, publication);
      services.keepName(name);
      await blocks.put(sealed.cid, sealed.bytes);
    },
    onError,
  });
  const { pin: pinPolicy, privateOrigins, ...pinningLimits } = config.pinning;
  const pins = openPinning({
    peer,
    dataDir: options.dataDir,
    policy: pinPolicy,
    allowed: allow,
    operators: own,
    privateOrigins,
    otherRoots: () => [...services.roots(), ...mailboxes.roots(), ...modules.loaded(), ...wanted.values(), tariff.cid],
    limits: pinningLimits,
    onError,
  });
  const jobs: Jobs = createJobs(
    {
      libp2p,
      privateKey: peer.privateKey,
      scoreLedger,
      modules,
      sandbox,
      activity,
      service: (name) => services.forJob(name),
      speaksFor: (service, from, signal) => services.speaksFor(service, from, signal),
      tariff: () => tariff,
      wants: () => bitswap.wantlist(),
    },
    {
      limits: {
        memoryPagesMax: config.sandbox.memoryPagesMax,
        outputBytesMax: config.sandbox.outputBytesMax,
        timeoutMsMax: config.sandbox.timeoutMsMax,
      },
      onError,
    },
  );

  const limits = config.messages;
  const elsewhere = services.remoteRunner(connectAs(peer), { priceMaxBytes: limits.priceBytesMax });
  const resolveName: Provider['resolveName'] = (name, signal) => services.resolveName(name, signal);
  const mailboxClient = new MailboxClient({ libp2p, bitswap, scoreLedger, resolveName, mailboxes });
  const deliverer = new Deliverer({
    outbox: services.outbox,
    deliver: routesOf({
      peerId: libp2p.peerId,
      mailboxes: mailboxClient,
      hosted: (name) => services.hosting.get(name),
      jobs,
      runner: elsewhere,
      limits,
    }),
    limits,
    onError,
  });

  async function publishTariff(rates: TariffRates): Promise<Tariff> {
    const sealed = await sealTariff(rates, peer.privateKey);
    await blockstore.put(sealed.cid, sealed.bytes);
    return sealed;
  }

  let stopped: Promise<void> | undefined;
  await peer.start();
  await services.start();
  await mailboxes.start();
  await pins.start();
  await jobs.start();
  deliverer.start();
  peer.routing.provide(PROVIDER_RENDEZVOUS);
  const { dataDir } = options;
  const addrs = libp2p.getMultiaddrs().map(String);
  if (dataDir !== undefined) await writeLocalProvider(dataDir, { peerId: libp2p.peerId.toString(), addrs });
  return {
    peerId: libp2p.peerId,
    get addrs() {
      return libp2p.getMultiaddrs().map(String);
    },
    libp2p,
    bitswap,
    scoreLedger,
    blocks,
    get tariff() {
      return tariff;
    },
    services: services.hosting,
    pinning: pins.pinning,
    runner: new LocalRunner({ peerId: libp2p.peerId, find: services.find, jobs }),
    dnslink: openDnsLink(config.services.dnslink),
    resolveName,
    async setTariff(rates) {
      tariff = await publishTariff(rates);
      await settings.setTariff(rates);
      jobs.tariffChanged();
    },
    async setOverride(other, override) {
      if (!(scoreLedger instanceof PersistentScoreLedger)) throw new OverrideError();
      scoreLedger.setOverride(other, override);
      await settings.setOverride(other.toString(), override);
    },
    mailboxes,
    messages: deliverer,
    settings,
    activity,
    provide: (cid) => peer.routing.provide(cid),
    async fetch(root, { signal } = {}) {
      wanted.set(root.toString(), root);
      const fetched = await fetchDag(root, getBlock, signal === undefined ? {} : { signal });
      peer.routing.provide(root);
      return fetched;
    },
    reconcile: (other, from) => peer.reconciler.reconcile(other, from),
    stats: () => ({ jobs: jobs.stats(), sandbox: sandbox.stats() }),
    stop(options) {
      stopped ??= (async () => {
        if (dataDir !== undefined) await removeLocalProvider(dataDir);
        await deliverer.stop();
        elsewhere.close();
        await mailboxClient.close();
        await pins.stop();
        await services.stop();
        await mailboxes.stop();
        await jobs.stop(options);
        await services.close();
        await modules.close();
        await sandbox.close();
        await peer.stop();
      })();
      return stopped;
    },
  };
}

/** The operator's rules are the default ledger's; another ledger has its own. */
export class OverrideError extends WorkswapError {
  constructor() {
    super('OVERRIDE_UNSUPPORTED', 'This provider was given a ledger of its own, which decides about peers by itself', {
      fault: 'provider',
    });
  }
}

/** Peers whose services we host besides those that the configuration names: our own commands among them. */
async function maintainersOf({ dataDir, maintainers = [] }: ProviderOptions): Promise<string[]> {
  if (dataDir === undefined) return maintainers;
  return [...maintainers, peerIdFromPrivateKey(await loadMaintainerKey(dataDir)).toString()];
}

import { peerIdFromString } from '@libp2p/peer-id';
import type { PeerId, PrivateKey } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import type { Blockstore } from 'interface-blockstore';
import {
  isExpired,
  openDescriptor,
  openRollback,
  type SealedDescriptor,
  type Tariff,
} from '../../../sdk/protocol/index.ts';
import type { ModuleLoader } from '../../modules/index.ts';
import type { Database, GetBlock } from '../../store/index.ts';
import { ServiceError } from '../errors.ts';
import type { ServicesLimits } from '../limits.ts';
import {
  checkRecord,
  descriptorOf,
  RecordError,
  refuseOlder,
  type NameRecord,
  type NameStore,
  type ServiceKeys,
} from '../names/index.ts';
import type { States } from '../state/index.ts';
import type { HistoryEntry, HostOptions, HostRequest, Services, ServicesEvent } from '../types.ts';
import { Admission, type HostPolicy } from './admission.ts';
import { fetchHistory, fetchSite } from './fetch-content.ts';
import { Hosted } from './hosted.ts';
import { HostedTable } from './table.ts';

export interface HostingInit {
  peerId: PeerId;
  privateKey: PrivateKey;
  database: Database;
  names: NameStore;
  /** Keys of this node's own services; undefined for a node without a directory. */
  keys: ServiceKeys | undefined;
  states: States;
  modules: ModuleLoader;
  blockstore: Blockstore;
  getBlock: GetBlock;
  tariff: () => Tariff;
  policy: HostPolicy;
  allowed: ReadonlySet<string>;
  limits: ServicesLimits;
  /** Tells routers of a new record, where the configuration says so. */
  publish: (record: NameRecord) => void;
}

/** The services that a provider hosts: which, with what descriptor, at what state. */
export class Hosting implements Services {
  readonly #init: HostingInit;
  readonly #table: HostedTable;
  readonly #admission: Admission;
  readonly #hosted = new Map<string, Hosted>();
  readonly #shorts = new Map<string, string>();
  readonly #listeners = new Set<(event: ServicesEvent) => void>();
  readonly #stop = new AbortController();

  constructor(init: HostingInit) {
    this.#init = init;
    this.#table = new HostedTable(init.database);
    this.#admission = new Admission(init);
  }

  /** Opens what was hosted before. */
  async start(): Promise<void> {
    for (const { descriptor, maintainer, active } of this.#table.all()) {
      if (!active) continue;
      const sealed = await openDescriptor(descriptor);
      const { name } = sealed.descriptor;
      this.#hosted.set(name, new Hosted(sealed, maintainer, await this.#init.states.open(name)));
    }
    await this.refreshShortNames();
  }

  stop(): void {
    this.#stop.abort(new Error('The provider is stopping'));
  }

  list(): Hosted[] {
    return [...this.#hosted.values()];
  }

  get(name: string): Hosted | undefined {
    return this.#hosted.get(this.#shorts.get(name) ?? name);
  }

  shortNameOf(name: string): string | undefined {
    for (const [short, known] of this.#shorts) if (known === name) return short;
    return undefined;
  }

  /** Short names live in files that commands make. */
  async refreshShortNames(): Promise<void> {
    for (const [short, name] of (await this.#init.keys?.list()) ?? []) this.#shorts.set(short, name);
  }

  async host(
    request: HostRequest,
    { maintainer, commit, signal }: HostOptions = {},
  ): Promise<{ acceptance: Uint8Array | undefined }> {
    const who = maintainer ?? this.#init.peerId.toString();
    const { record, sealed } = await this.#check(request);
    const { name } = sealed.descriptor;
    const leave = this.#admission.enter(who, this.list(), !this.#hosted.has(name));
    const { hostTimeoutMs } = this.#init.limits;
    const deadline = AbortSignal.any([
      AbortSignal.timeout(hostTimeoutMs),
      this.#stop.signal,
      ...(signal === undefined ? [] : [signal]),
    ]);
    try {
      const isOurs = sealed.descriptor.endpoints.some(({ peer }) => peer === this.#init.peerId.toString());
      if (!isOurs) return this.#unhost(record, sealed, who);
      const hosted = await this.#take(record, sealed, who, commit, deadline);
      return { acceptance: await this.acceptanceOf(hosted) };
    } finally {
      leave();
    }
  }

  acceptanceOf(hosted: Hosted): Promise<Uint8Array> {
    const { tariff, privateKey, limits } = this.#init;
    return hosted.acceptance(tariff(), privateKey, limits.acceptanceMs, Date.now());
  }

  async history(
    name: string,
    { from, limit = 100, signal }: { from?: CID; limit?: number; signal?: AbortSignal } = {},
  ): Promise<HistoryEntry[]> {
    const { state } = this.#find(name);
    const entries: HistoryEntry[] = [];
    const most = Math.min(limit, this.#init.limits.historyMax);
    if (most === 0) return entries;
    for await (const { cid, commit } of state.history({ from, signal })) {
      const { previous, before, after, tasks, timeMs } = commit;
      entries.push({ cid, previous, before, after, tasks, timeMs });
      if (entries.length >= most) break;
    }
    return entries;
  }

  async rollback(order: Uint8Array): Promise<{ commit: CID; root: CID }> {
    const { service, from, to } = await openRollback(order);
    const { state } = this.#find(service);
    if (state.commit?.equals(from) !== true) {
      throw new ServiceError(
        'ROLLBACK_STALE',
        `The order was given at the commit ${from}; the newest is ${state.commit ?? 'none'}. Look at the history and give a new one.`,
      );
    }
    const { cid, commit } = await state.rollback(to);
    this.#tell({ event: 'rolledBack', service, commit: cid.toString(), root: commit.after.toString() });
    return { commit: cid, root: commit.after };
  }

  onEvent(listener: (event: ServicesEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #find(name: string): Hosted {
    const hosted = this.get(name);
    if (hosted !== undefined) return hosted;
    throw new ServiceError('SERVICE_NOT_HOSTED', `This provider does not host ${name.slice(0, 100)}.`);
  }

  /** Record and descriptor are of one key, belong together, are valid now and newer than what we know. */
  async #check({ record: bytes, descriptor }: HostRequest): Promise<{ record: NameRecord; sealed: SealedDescriptor }> {
    const sealed = await openDescriptor(descriptor);
    const { name, sequence } = sealed.descriptor;
    const record = await checkRecord(name, bytes, Date.now());
    refuseOlder(record, this.#init.names.latest(name));
    if (!descriptorOf(record).equals(sealed.cid)) {
      throw new RecordError(name, 'no descriptor', `it names ${record.value}, and the descriptor is ${sealed.cid}`);
    }
    if (isExpired(sealed.descriptor, Date.now())) {
      throw new ServiceError('SERVICE_EXPIRED', `The descriptor of ${name} has expired. Publish a new one.`);
    }
    const known = this.#hosted.get(name)?.sealed;
    const isOlder = known !== undefined && sequence < known.descriptor.sequence;
    const isRival = known !== undefined && sequence === known.descriptor.sequence && !known.cid.equals(sealed.cid);
    if (isOlder || isRival) {
      throw new RecordError(name, 'lower sequence', `its descriptor has ${sequence}, as one that we host or lower`);
    }
    return { record, sealed };
  }

  async #take(
    record: NameRecord,
    sealed: SealedDescriptor,
    maintainer: string,
    commit: CID | undefined,
    signal: AbortSignal,
  ): Promise<Hosted> {
    const { getBlock, modules, names, blockstore, limits } = this.#init;
    const { name, handler, site } = sealed.descriptor;
    const peers = maintainer === this.#init.peerId.toString() ? [] : [peerIdFromString(maintainer)];
    await Promise.all([
      modules.load(handler, { signal, peers }),
      site === undefined ? undefined : fetchSite(site, getBlock, limits, { peers, signal }),
    ]);
    const state = await this.#openState(name, commit, { peers, signal });
    await blockstore.put(sealed.cid, sealed.bytes);
    names.put(record, { pinned: true });
    const hosted = new Hosted(sealed, maintainer, state);
    this.#table.put({ service: name, descriptor: sealed.bytes, maintainer, active: true });
    this.#hosted.set(name, hosted);
    await this.refreshShortNames();
    this.#init.publish(record);
    this.#tell({ event: 'hosted', service: name, descriptor: sealed.cid.toString(), maintainer });
    return hosted;
  }

  /** A state that is here stays what it is: nobody replaces it by asking again with another commit. */
  async #openState(
    name: string,
    commit: CID | undefined,
    options: { peers: PeerId[]; signal: AbortSignal },
  ): Promise<Hosted['state']> {
    const { states, getBlock, limits } = this.#init;
    const { signal } = options;
    if (commit === undefined) return states.open(name, { signal });
    if (!states.services().includes(name)) {
      await fetchHistory(commit, getBlock, limits, options);
      return states.open(name, { signal, commit });
    }
    const state = await states.open(name);
    if (state.commit?.equals(commit) === true) return state;
    throw new ServiceError(
      'STATE_EXISTS',
      `This provider has a state of ${name} already, at the commit ${state.commit ?? 'none'}; it is not replaced.`,
    );
  }

  /** The maintainer has taken us off the list. */
  #unhost(record: NameRecord, sealed: SealedDescriptor, maintainer: string): { acceptance: undefined } {
    const { name } = sealed.descriptor;
    if (this.#hosted.delete(name)) {
      this.#table.put({ service: name, descriptor: sealed.bytes, maintainer, active: false });
      this.#tell({ event: 'unhosted', service: name, descriptor: sealed.cid.toString(), maintainer });
    }
    this.#init.names.put(record);
    return { acceptance: undefined };
  }

  #tell(event: ServicesEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

import type { Libp2p, PeerId } from '@libp2p/interface';
import { isExpired, openDescriptor, WorkswapError } from '../../sdk/protocol/index.ts';
import type { ScoreLedger } from '../ledger/index.ts';
import type { GetBlock } from '../store/index.ts';
import { Tally } from '../tally.ts';
import type { ServicesLimits } from './limits.ts';
import {
  checkRecord,
  descriptorOf,
  isNewer,
  refuseOlder,
  type NameAnswer,
  type NameResolver,
  type NameStore,
  type ResolvedName,
} from './names/index.ts';
import { ask, decodeResolveAnswer } from './net/index.ts';

export interface SendersInit {
  libp2p: Libp2p;
  names: NameStore;
  resolver: Pick<NameResolver, 'newest'>;
  getBlock: GetBlock;
  scoreLedger: ScoreLedger;
  limits: ServicesLimits;
}

/** A peer that spoke for a service is believed without asking for this long, as records are used, and so many are remembered. */
const BELIEVED_MS = 300_000;
const BELIEVED_MAX = 10_000;
/** Questions under way, and those about one peer: whoever names services that nobody knows must not keep us busy. */
const ASKING_MAX = 64;
const ASKING_PER_PEER_MAX = 4;
/**
 * What a second of it costs the peer: with default credit, its refresh pays for all that may be under way about one peer,
 * and the refresh of all strangers together for half of all that may.
 */
export const ASKING_BYTES_PER_SECOND = 256 * 1024;

/**
 * Who may send messages in a service's name: the endpoints that its maintainer has named, and nobody else. The peer that
 * says so is asked for the service's record, since it has to have it; if others know a newer one, that counts.
 */
export class Senders {
  readonly #init: SendersInit;
  readonly #believed = new Map<string, number>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #perPeer = new Tally();

  constructor(init: SendersInit) {
    this.#init = init;
  }

  /**
   * @throws WorkswapError SENDER_UNPROVEN: not an endpoint, or not to be found out now; worth a retry, since names change.
   *   OverCreditError when the peer has no room for what it may cost to find out
   */
  async check(service: string, peer: PeerId, signal: AbortSignal): Promise<void> {
    const key = `${service} ${peer.toString()}`;
    if ((this.#believed.get(key) ?? 0) > Date.now()) return;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#askAbout(service, peer, AbortSignal.timeout(this.#init.limits.resolveTimeoutMs));
      this.#asking.set(key, asking);
      const end = (): boolean => this.#asking.delete(key);
      asking.then(end, end);
    }
    await asking;
    signal.throwIfAborted();
    this.#believed.delete(key);
    this.#believed.set(key, Date.now() + BELIEVED_MS);
    if (this.#believed.size > BELIEVED_MAX) this.#believed.delete(this.#believed.keys().next().value!);
  }

  async #askAbout(service: string, peer: PeerId, signal: AbortSignal): Promise<void> {
    const who = peer.toString();
    if (this.#asking.size >= ASKING_MAX || this.#perPeer.of(who) >= ASKING_PER_PEER_MAX) {
      throw unproven(service, who, 'too many senders are being looked up; ask again in a moment');
    }
    const { scoreLedger, limits } = this.#init;
    const reservation = scoreLedger.reserve(peer, askingPrice(limits.resolveTimeoutMs), 'work');
    const startMs = performance.now();
    this.#perPeer.add(who);
    try {
      const endpoints = await this.#endpointsOf(service, peer, signal);
      if (!endpoints.includes(who)) throw unproven(service, who, 'its maintainer names other endpoints');
    } catch (error) {
      if (error instanceof WorkswapError && error.code === 'SENDER_UNPROVEN') throw error;
      throw unproven(service, who, (error as Error).message, error);
    } finally {
      this.#perPeer.remove(who);
      // Proven or not: keys and names are free, so what takes our time must not be.
      scoreLedger.abandon(reservation, Math.min(askingPrice(performance.now() - startMs), reservation.amount));
    }
  }

  async #endpointsOf(service: string, peer: PeerId, signal: AbortSignal): Promise<string[]> {
    const { getBlock } = this.#init;
    const answer = await this.#recordOf(service, peer, signal);
    const cid = descriptorOf(answer.record);
    const given = answer.descriptor && (await openDescriptor(answer.descriptor).catch(() => undefined));
    const sealed = given?.cid.equals(cid)
      ? given
      : await openDescriptor(await getBlock(cid, { signal, peers: [peer] }));
    const { descriptor } = sealed;
    if (descriptor.name !== service) throw new Error(`it leads to the descriptor of ${descriptor.name}`);
    if (isExpired(descriptor, Date.now())) throw new Error('its descriptor has expired');
    return descriptor.endpoints.map((endpoint) => endpoint.peer);
  }

  /** What the sender itself shows, or what is newer: one that was an endpoint once can still show that. */
  async #recordOf(service: string, peer: PeerId, signal: AbortSignal): Promise<ResolvedName> {
    const { libp2p, names, resolver, limits } = this.#init;
    const question = { ask: 'resolve', name: service } as const;
    const options = { timeoutMs: limits.askTimeoutMs, signal };
    const shown: NameAnswer = await ask(libp2p, peer, question, decodeResolveAnswer, options);
    const record = await checkRecord(service, shown.record, Date.now());
    refuseOlder(record, names.latest(service));
    names.renew(record);
    const newest = await resolver.newest(service, signal, peer);
    if (newest !== undefined && isNewer(newest.record, record)) return newest;
    return { record, ...(shown.descriptor === undefined ? {} : { descriptor: shown.descriptor }) };
  }
}

function askingPrice(ms: number): number {
  return Math.ceil((ms / 1_000) * ASKING_BYTES_PER_SECOND);
}

function unproven(service: string, peer: string, why: string, cause?: unknown): WorkswapError {
  const message = `${peer} is not known to speak for ${service}: ${why}`;
  return new WorkswapError('SENDER_UNPROVEN', message, { fault: 'consumer', retryable: true, cause });
}

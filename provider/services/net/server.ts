import type { Libp2p, PeerId } from '@libp2p/interface';
import { DocumentError, isExpired, openDescriptor, openHostOrder } from '../../../sdk/protocol/index.ts';
import { ExchangeServer, PeerBuckets } from '../../net/index.ts';
import { ServiceError } from '../errors.ts';
import type { Hosting } from '../hosting/index.ts';
import type { NameStore } from '../names/index.ts';
import { RATED_PEERS_MAX, RATES, SERVICES_EXCHANGE } from './constants.ts';
import type { MessagesFigures } from '../types.ts';
import { decodeQuestion, MESSAGES_SHOWN_MAX, type Question, type ResolveAnswer } from './wire.ts';

export interface ServicesServerInit {
  libp2p: Libp2p;
  hosting: Hosting;
  names: NameStore;
  /** What is not delivered of a service's messages. */
  messages: (service: string) => MessagesFigures;
  onError: (error: unknown) => void;
}

/** Answers /workswap/services/1.0.0: one question, one answer, and the stream is over. */
export class ServicesServer {
  readonly #init: ServicesServerInit;
  readonly #asks = new PeerBuckets(RATES.ask, RATED_PEERS_MAX);
  readonly #changes = new PeerBuckets(RATES.change, RATED_PEERS_MAX);
  readonly #server: ExchangeServer;

  constructor(init: ServicesServerInit) {
    this.#init = init;
    const { libp2p, onError } = init;
    const answer = (bytes: Uint8Array, peer: PeerId): Promise<object> => this.#answer(bytes, peer);
    this.#server = new ExchangeServer({ libp2p, protocol: SERVICES_EXCHANGE, answer, onError });
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #answer(bytes: Uint8Array, peer: PeerId): Promise<object> {
    const question = decodeQuestion(bytes);
    this.#admit(question, peer);
    if (question.ask === 'resolve') return this.#resolve(question.name, peer);
    if (question.ask === 'host') return this.#host(question, peer);
    return this.#init.hosting.rollback(question.order);
  }

  #admit({ ask }: Question, peer: PeerId): void {
    const nowMs = performance.now();
    const bucket = (ask === 'resolve' ? this.#asks : this.#changes).of(peer.toString(), nowMs);
    const waitMs = bucket.waitMs(nowMs);
    if (waitMs > 0) throw new ServiceError('TOO_OFTEN', `Ask again in ${waitMs} ms.`);
    bucket.take();
  }

  async #resolve(name: string, peer: PeerId): Promise<ResolveAnswer> {
    const { hosting, names } = this.#init;
    const record = names.latest(name);
    if (record === undefined || record.expiresMs <= Date.now()) {
      throw new ServiceError('SERVICE_NOT_FOUND', 'This node knows no valid record of this name.');
    }
    const hosted = hosting.get(record.name);
    if (hosted === undefined || isExpired(hosted, Date.now())) return { record: record.bytes };
    const { root, commit, sealed } = hosted;
    return {
      record: record.bytes,
      descriptor: sealed.bytes,
      acceptance: await hosting.acceptanceOf(hosted),
      root,
      ...(commit === undefined ? {} : { commit }),
      // Nobody else is told whom a service writes to.
      ...(hosted.maintainer === peer.toString() ? { messages: this.#messagesOf(hosted.name) } : {}),
    };
  }

  #messagesOf(service: string): MessagesFigures {
    const { holdups, ended, ...figures } = this.#init.messages(service);
    const first = <T>(list: T[]): T[] => list.slice(0, MESSAGES_SHOWN_MAX);
    return { ...figures, holdups: first(holdups), ended: first(ended) };
  }

  async #host(
    { record, descriptor, order: orderBytes }: Extract<Question, { ask: 'host' }>,
    peer: PeerId,
  ): Promise<{ acceptance?: Uint8Array }> {
    const { hosting, libp2p } = this.#init;
    const order = await openHostOrder(orderBytes);
    if (isExpired(order, Date.now())) throw new DocumentError('host', 'it has expired');
    if (order.provider !== libp2p.peerId.toString()) throw new DocumentError('host', `it is for ${order.provider}`);
    if (order.maintainer !== peer.toString()) throw new DocumentError('host', `it was given to ${order.maintainer}`);
    const sealed = await openDescriptor(descriptor);
    if (!sealed.cid.equals(order.descriptor) || sealed.descriptor.name !== order.service) {
      throw new DocumentError('host', 'it is for another descriptor');
    }
    const { maintainer, commit } = order;
    const { acceptance } = await hosting.host({ record, descriptor }, { maintainer, commit });
    return acceptance === undefined ? {} : { acceptance };
  }
}

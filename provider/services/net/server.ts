import type { Libp2p, PeerId } from '@libp2p/interface';
import { DocumentError, isExpired, openDescriptor, openHostOrder, WorkswapError } from '../../../sdk/protocol/index.ts';
import { encodeAnswer, encodeRefusal, ExchangeServer, PeerBuckets } from '../../net/index.ts';
import { ServiceError } from '../errors.ts';
import type { Hosting } from '../hosting/index.ts';
import type { NameStore } from '../names/index.ts';
import { RATED_PEERS_MAX, RATES, SERVICES_EXCHANGE } from './constants.ts';
import { decodeQuestion, type Question, type ResolveAnswer } from './wire.ts';

export interface ServicesServerInit {
  libp2p: Libp2p;
  hosting: Hosting;
  names: NameStore;
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
    this.#server = new ExchangeServer(init.libp2p, SERVICES_EXCHANGE, (bytes, peer) => this.#answer(bytes, peer));
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #answer(bytes: Uint8Array, peer: PeerId): Promise<Uint8Array> {
    try {
      const question = decodeQuestion(bytes);
      this.#admit(question, peer);
      if (question.ask === 'resolve') return encodeAnswer(await this.#resolve(question.name));
      if (question.ask === 'host') return encodeAnswer(await this.#host(question, peer));
      return encodeAnswer(await this.#init.hosting.rollback(question.order));
    } catch (error) {
      if (!(error instanceof WorkswapError)) this.#init.onError(error);
      return encodeRefusal(error);
    }
  }

  #admit({ ask }: Question, peer: PeerId): void {
    const nowMs = performance.now();
    const bucket = (ask === 'resolve' ? this.#asks : this.#changes).of(peer.toString(), nowMs);
    const waitMs = bucket.waitMs(nowMs);
    if (waitMs > 0) throw new ServiceError('TOO_OFTEN', `Ask again in ${waitMs} ms.`);
    bucket.take();
  }

  async #resolve(name: string): Promise<ResolveAnswer> {
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
    };
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

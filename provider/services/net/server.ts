import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface';
import { DocumentError, isExpired, openDescriptor, openHostOrder, WorkswapError } from '../../../sdk/protocol/index.ts';
import { PeerBuckets, readFrame, sendFrame } from '../../net/index.ts';
import { ServiceError } from '../errors.ts';
import type { Hosting } from '../hosting/index.ts';
import type { NameStore } from '../names/index.ts';
import {
  EXCHANGE_TIMEOUT_MS,
  MESSAGE_BYTES_MAX,
  RATED_PEERS_MAX,
  RATES,
  SERVICES_PROTOCOL,
  STREAMS_MAX,
  STREAMS_PER_CONNECTION_MAX,
} from './constants.ts';
import { decodeQuestion, encodeAnswer, encodeRefusal, type Question, type ResolveAnswer } from './wire.ts';

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
  readonly #stop = new AbortController();
  #streams = 0;

  constructor(init: ServicesServerInit) {
    this.#init = init;
  }

  async start(): Promise<void> {
    await this.#init.libp2p.handle(SERVICES_PROTOCOL, (stream, connection) => void this.#serve(stream, connection), {
      maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('The node is stopping'));
    await this.#init.libp2p.unhandle(SERVICES_PROTOCOL);
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    if (this.#streams >= STREAMS_MAX) {
      stream.abort(new Error('Too many exchanges are under way'));
      return;
    }
    this.#streams++;
    const deadline = (): AbortSignal => AbortSignal.any([AbortSignal.timeout(EXCHANGE_TIMEOUT_MS), this.#stop.signal]);
    try {
      const bytes = await readFrame(stream, MESSAGE_BYTES_MAX, deadline());
      sendFrame(stream, await this.#answer(bytes, connection.remotePeer));
      await stream.close({ signal: deadline() });
    } catch {
      // Whoever asks like this gets no answer; there is nothing to take back.
    } finally {
      stream.abort(new Error('The exchange is over'));
      this.#streams--;
    }
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

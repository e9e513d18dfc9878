import { encode } from '@ipld/dag-cbor';
import type { Libp2p, PeerId } from '@libp2p/interface';
import { ExchangeServer, PeerBuckets } from '../../net/index.ts';
import { PinError } from '../errors.ts';
import type { Pinning } from '../pinning.ts';
import type { PinPage } from '../types.ts';
import {
  cidsOf,
  decodeQuestion,
  PAGE_BYTES_MAX,
  PINNING_EXCHANGE,
  viewOf,
  type PinView,
  type Question,
} from './wire.ts';

const RATE = { perSecond: 20, burst: 200 };
const RATED_PEERS_MAX = 4_096;

export interface PinningServerInit {
  libp2p: Libp2p;
  pinning: Pinning;
  onError: (error: unknown) => void;
}

/** Answers /workswap/pinning/1.0.0. Who asks is the owner: the connection says who that is. */
export class PinningServer {
  readonly #init: PinningServerInit;
  readonly #rates = new PeerBuckets(RATE, RATED_PEERS_MAX);
  readonly #server: ExchangeServer;

  constructor(init: PinningServerInit) {
    this.#init = init;
    const { libp2p, onError } = init;
    const answer = (bytes: Uint8Array, peer: PeerId): Promise<object> => this.#answer(bytes, peer);
    this.#server = new ExchangeServer({ libp2p, protocol: PINNING_EXCHANGE, answer, onError });
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #answer(bytes: Uint8Array, peer: PeerId): Promise<object> {
    const nowMs = performance.now();
    const bucket = this.#rates.of(peer.toString(), nowMs);
    const waitMs = bucket.waitMs(nowMs);
    if (waitMs > 0) throw new PinError('TOO_OFTEN', `Ask again in ${waitMs} ms.`);
    bucket.take();
    return plain(await this.#do(decodeQuestion(bytes), peer.toString()));
  }

  async #do(question: Question, owner: string): Promise<object> {
    const { pinning } = this.#init;
    switch (question.ask) {
      case 'add':
        return { pin: viewOf(pinning.add(owner, question.pin)) };
      case 'get':
        return { pin: viewOf(pinning.get(owner, question.id)) };
      case 'remove':
        pinning.remove(owner, question.id);
        return {};
      case 'token-create': {
        const { device, expiresMs } = question;
        return pinning.createToken(owner, { device, expiresMs });
      }
      case 'verify':
        return { verification: pinning.verify(owner, question.id, question) };
      case 'collect': {
        const { collector } = pinning.asOperator(owner);
        // Nobody waits for the end here; whoever wants to know asks again.
        if (question.start) collector.collect(question).catch(this.#init.onError);
        return { collection: collector.last };
      }
      case 'token-list':
        return { tokens: pinning.tokens.list(owner) };
      case 'token-revoke':
        pinning.tokens.revoke(owner, question.id);
        return {};
      case 'list': {
        const { cids, ...filter } = question.filter;
        if (question.all === true) pinning.asOperator(owner);
        const whose = question.all === true ? undefined : owner;
        return page(pinning.list(whose, cids === undefined ? filter : { ...filter, cids: cidsOf(cids) }));
      }
    }
  }
}

/** As many pins as one message holds; the rest is asked for by `beforeMs`. */
function page({ count, pins }: PinPage): { count: number; pins: PinView[] } {
  const views: PinView[] = [];
  let bytes = 0;
  for (const pin of pins) {
    const view = plain(viewOf(pin)) as PinView;
    bytes += encode(view).length;
    if (bytes > PAGE_BYTES_MAX && views.length > 0) break;
    views.push(view);
  }
  return { count, pins: views };
}

/** Without fields that are undefined, which DAG-CBOR does not know. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

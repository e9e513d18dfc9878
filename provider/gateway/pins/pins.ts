import { PeerBuckets } from '../../net/index.ts';
import type { Pin, Pinning } from '../../pinning/index.ts';
import { HttpError, type HttpReply, type HttpRequest } from '../http/index.ts';
import { failureReply } from './failure.ts';
import { pageReply } from './page.ts';
import { readFilter, readPin } from './query.ts';
import { statusOf } from './status.ts';

/** Where the API is on the gateway's main host: clients are told `http://HOST:PORT/psa`. */
export const PINS_PATH = '/psa';

const BODY_BYTES_MAX = 64 * 1024;
/** Of one token. */
const RATE = { perSecond: 50, burst: 200 };
const RATED_TOKENS_MAX = 4_096;

/** Any page may call, since it must bring a token itself: there is nothing that a browser would add. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type',
  'access-control-max-age': '86400',
};

/** The IPFS Pinning Service API 1.0.0. */
export class Pins {
  readonly #pinning: Pinning;
  readonly #rates = new PeerBuckets(RATE, RATED_TOKENS_MAX);

  constructor(pinning: Pinning) {
    this.#pinning = pinning;
  }

  /** Whether a target belongs to the API. */
  owns(target: string): boolean {
    return target === PINS_PATH || target.startsWith(`${PINS_PATH}/`) || target.startsWith(`${PINS_PATH}?`);
  }

  /** Never throws for what a client did: every refusal is a Failure object. */
  async serve(request: HttpRequest): Promise<HttpReply> {
    if (request.method === 'OPTIONS') return withCors({ status: 204, headers: {} });
    return withCors(await this.#answer(request));
  }

  /** What was refused before it came here, in the API's form. */
  refuse(error: unknown): HttpReply {
    return withCors(failureReply(error));
  }

  async #answer(request: HttpRequest): Promise<HttpReply> {
    const [path = '', query = ''] = request.target.slice(PINS_PATH.length).split(/\?(.*)/s);
    const page = request.method === 'GET' ? await pageReply(path) : undefined;
    if (page !== undefined) return page;
    const [, collection, id, ...rest] = path.split('/');
    if (collection !== 'pins' || rest.length > 0) throw new HttpError(404, 'NOT_FOUND', 'The API is at /pins');
    const owner = this.#authenticate(request);
    if (id === undefined || id === '') return this.#collection(request, owner, new URLSearchParams(query));
    return this.#one(request, owner, id);
  }

  async #collection(request: HttpRequest, owner: string, query: URLSearchParams): Promise<HttpReply> {
    const pinning = this.#pinning;
    switch (request.method) {
      case 'GET':
      case 'HEAD': {
        const { count, pins } = pinning.list(owner, readFilter(query));
        return json(200, { count, results: pins.map((pin) => this.#status(pin)) });
      }
      case 'POST':
        return json(202, this.#status(pinning.add(owner, readPin(await request.body(BODY_BYTES_MAX)))));
      default:
        throw notAllowed('GET, POST');
    }
  }

  async #one(request: HttpRequest, owner: string, id: string): Promise<HttpReply> {
    const pinning = this.#pinning;
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return json(200, this.#status(pinning.get(owner, id)));
      case 'POST': {
        pinning.get(owner, id);
        const pin = readPin(await request.body(BODY_BYTES_MAX));
        return json(202, this.#status(pinning.replace(owner, id, pin)));
      }
      case 'DELETE':
        pinning.remove(owner, id);
        return { status: 202, headers: { 'cache-control': 'no-store' } };
      default:
        throw notAllowed('GET, POST, DELETE');
    }
  }

  #status(pin: Pin): object {
    return statusOf(pin, this.#pinning.delegates());
  }

  #authenticate({ headers }: HttpRequest): string {
    const token = /^Bearer +(\S{1,256})$/i.exec(headers.authorization ?? '')?.[1];
    const known = token === undefined ? undefined : this.#pinning.tokens.authenticate(token);
    if (known === undefined) {
      throw new HttpError(401, 'UNAUTHORIZED', 'The access token is missing, unknown, revoked or over', {
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
    const nowMs = performance.now();
    const bucket = this.#rates.of(known.id, nowMs);
    const waitMs = bucket.waitMs(nowMs);
    if (waitMs > 0) {
      throw new HttpError(429, 'TOO_MANY_REQUESTS', `More than ${RATE.perSecond} requests a second`, {
        headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
      });
    }
    bucket.take();
    return known.owner;
  }
}

function json(status: number, value: object): HttpReply {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status, headers, body: JSON.stringify(value) };
}

function withCors(reply: HttpReply): HttpReply {
  Object.assign(reply.headers, CORS);
  return reply;
}

function notAllowed(allow: string): HttpError {
  return new HttpError(405, 'METHOD_NOT_ALLOWED', `Here are ${allow}`, { headers: { allow } });
}

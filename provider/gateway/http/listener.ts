import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { LiveList } from '../../live-list.ts';
import { errorReply } from './error-pages.ts';
import { HttpError } from './errors.ts';
import { drained, Exchange } from './exchange.ts';
import { checkHead } from './head.ts';
import { DEADLINE_CHECK_MS, ONE_WRITE_BYTES_MAX } from './limits.ts';
import type { HttpHandler, HttpReply, HttpRequest } from './types.ts';

export interface ListenerOptions {
  requestsMax: number;
  deadlineMs: number;
  /** Errors that are nobody's answer: of handlers that threw something unknown, of bodies that broke off. */
  onError: (error: unknown) => void;
}

export interface Listener {
  listener: RequestListener;
  stats(): { underWay: number; answered: number };
  close(): void;
}

/**
 * Answers requests of node:http with a handler. Thin on purpose: between a bare `end(bytes)` and this there are a few
 * microseconds, and a warm job takes twenty.
 */
export function createListener(handler: HttpHandler, options: ListenerOptions): Listener {
  const underWay = new LiveList<{ exchange: Exchange; response: ServerResponse }>();
  let answered = 0;
  // One clock for all: a timer for each request would cost more than the request's own bookkeeping.
  const clock = setInterval(() => {
    const before = performance.now() - options.deadlineMs;
    for (const { exchange, response } of underWay.values()) {
      if (exchange.startedMs > before) break;
      // Who reads slowly, or waits for something that does not hear of the end, is cut off.
      if (response.headersSent || exchange.cancellation.aborted) response.destroy();
      exchange.cancellation.abort(
        new HttpError(504, 'DEADLINE', `There was no answer within ${options.deadlineMs} ms`),
      );
    }
  }, DEADLINE_CHECK_MS).unref();

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = new Exchange(incoming, performance.now());
    const place = underWay.add({ exchange, response });
    response.on('close', () => {
      underWay.remove(place);
      answered += 1;
      if (!response.writableFinished)
        exchange.cancellation.abort(new DOMException('The client went away', 'AbortError'));
    });
    try {
      checkHead(incoming);
      const isFull = underWay.size > options.requestsMax;
      await send(exchange, response, isFull ? busy(exchange) : await handler(exchange));
    } catch (error) {
      await fail(exchange, response, error);
    }
  }

  async function fail(exchange: Exchange, response: ServerResponse, error: unknown): Promise<void> {
    if (response.destroyed) return;
    if (response.headersSent) {
      // The status is gone out; that the body is not whole can only be told by breaking off.
      response.destroy();
      if (!exchange.cancellation.aborted) tell(error);
      return;
    }
    tell(error);
    await send(exchange, response, errorReply(exchange, error)).catch(() => response.destroy());
  }

  function tell(error: unknown): void {
    if (!(error instanceof HttpError)) options.onError(error);
  }

  return {
    listener: (incoming, response) => void answer(incoming, response),
    stats: () => ({ underWay: underWay.size, answered }),
    close: () => clearInterval(clock),
  };
}

async function send(request: HttpRequest, response: ServerResponse, reply: HttpReply): Promise<void> {
  const { status, headers, body } = reply;
  const isKnown = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  if (isKnown) {
    if (headers['content-length'] === undefined && status !== 204 && status !== 304) {
      headers['content-length'] = String(body === undefined ? 0 : Buffer.byteLength(body));
    }
    response.writeHead(status, headers);
    if (request.method === 'HEAD') response.end();
    else endWith(response, body);
    return;
  }
  response.writeHead(status, headers);
  const iterator = body[Symbol.asyncIterator]();
  if (request.method === 'HEAD') {
    response.end();
    await iterator.return?.();
    return;
  }
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) break;
      if (response.destroyed) throw new Error('The client went away');
      if (!response.write(value)) await drained(response);
    }
  } catch (error) {
    // What feeds the body is told that nobody wants the rest.
    await iterator.return?.();
    throw error;
  }
  if (reply.trailers !== undefined) response.addTrailers(await reply.trailers());
  response.end();
}

/** Head and bytes beside each other are a write of two parts, which costs more than copying a short body behind its head. */
function endWith(response: ServerResponse, body: Uint8Array | string | undefined): void {
  if (!(body instanceof Uint8Array) || body.length > ONE_WRITE_BYTES_MAX) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
}

function busy(request: HttpRequest): HttpReply {
  return errorReply(
    request,
    new HttpError(503, 'TOO_MANY_REQUESTS', 'This server has as many requests under way as it takes', {
      headers: { 'retry-after': '1' },
      retryable: true,
    }),
  );
}

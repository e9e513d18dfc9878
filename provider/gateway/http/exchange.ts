import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Cancellation } from '../../cancellation.ts';
import { HttpError } from './errors.ts';
import type { HttpRequest } from './types.ts';

/** A request of node:http as our handlers see it. What few handlers need is made when it is asked for. */
export class Exchange implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly startedMs: number;
  readonly cancellation = new Cancellation();
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage, startedMs: number) {
    this.#incoming = incoming;
    this.method = incoming.method ?? 'GET';
    this.target = incoming.url ?? '/';
    this.headers = incoming.headers;
    this.startedMs = startedMs;
  }

  get client(): string {
    return this.#incoming.socket.remoteAddress ?? '';
  }

  get local(): string {
    return this.#incoming.socket.localAddress ?? '';
  }

  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  async body(bytesMax: number): Promise<Uint8Array> {
    const declared = Number(this.headers['content-length'] ?? 0);
    if (declared > bytesMax) throw tooLarge(bytesMax);
    const parts: Buffer[] = [];
    let bytes = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const incoming = this.#incoming;
    incoming.on('data', (part: Buffer) => {
      bytes += part.length;
      // The rest is read and thrown away: a client that is cut off while it sends does not see the answer.
      if (bytes <= bytesMax) parts.push(part);
      else {
        parts.length = 0;
        reject(tooLarge(bytesMax));
      }
    });
    incoming.on('end', resolve);
    incoming.on('close', () => reject(new HttpError(400, 'REQUEST_INCOMPLETE', 'The request ended before its body')));
    incoming.on('error', reject);
    await promise;
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

function tooLarge(bytesMax: number): HttpError {
  return new HttpError(413, 'BODY_TOO_LARGE', `The body has more than ${bytesMax} bytes. Publish it and pass its CID.`);
}

/** Waits until the socket takes more. @throws when it was closed */
export function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const done = (): void => {
    response.off('drain', done);
    response.off('close', done);
    if (response.destroyed || response.closed) reject(new Error('The client went away'));
    else resolve();
  };
  response.on('drain', done);
  response.on('close', done);
  return promise;
}

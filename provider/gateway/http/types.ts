import type { IncomingHttpHeaders } from 'node:http';
import type { Cancellation } from '../../cancellation.ts';

/** One request, as far as a handler of ours needs it. It is not the Request of the web platform: making one costs more than a job. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** IP address of the other end of the connection. */
  readonly client: string;
  /** IP address of our end. */
  readonly local: string;
  /**
   * Aborted when the client went away, and with an HttpError of status 504 when the answer took too long. Whoever aborts it
   * ends the request before its time: what its handler answers then is still sent.
   */
  readonly cancellation: Cancellation;
  /** The cancellation's. */
  readonly signal: AbortSignal;
  /** @throws HttpError 413 beyond `bytesMax`, 400 when the client broke off */
  body(bytesMax: number): Promise<Uint8Array>;
}

export type HttpHeaders = Record<string, string | string[]>;

export interface HttpReply {
  status: number;
  /** Names in lower case. `content-length` is set from a body of known length. */
  headers: HttpHeaders;
  body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  /** Sent behind a streamed body; announce their names in the header `trailer`. */
  trailers?: () => Promise<Record<string, string>>;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpReply> | HttpReply;

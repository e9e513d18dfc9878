import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { BuildError } from '../../sdk/build/index.ts';
import type { CallRequest } from '../../sdk/client/index.ts';
import {
  deliveryRequest,
  FOLLOW_UPS_MAX,
  MESSAGE_BODY_BYTES_MAX,
  REQUEST_BODY_BYTES_MAX,
  SERVICE_MESSAGE_ID_BYTES,
} from '../../sdk/protocol/index.ts';
import { NOBODY } from '../workbench/index.ts';
import type { DevSite } from './dev-site.ts';
import { DEV_PREFIX } from './limits.ts';
import { buildErrorPage, failurePage, profilePage, requestsPage, statePage } from './pages.ts';
import type { RequestRecord } from './records.ts';
import { RELOAD_SCRIPT, withReload } from './reload.ts';
import type { ReloadHub } from './reload.ts';
import { staticFile } from './static-files.ts';
import type { StaticFile } from './static-files.ts';

export interface DevServerEvents {
  request(record: RequestRecord): void;
  buildFailed(error: BuildError): void;
}

/** Names by which this machine may be called: a page from elsewhere must not get here under a name of its own. */
const HOSTS = /^(localhost|[a-z0-9-]+\.localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
const NO_STORE = { 'cache-control': 'no-store' };

/** The small HTTP server of `workswap dev`: dev's own pages, then the site's files, then the handler. */
export class DevServer {
  readonly #site: DevSite;
  readonly #hub: ReloadHub;
  readonly #events: DevServerEvents;
  readonly #server: Server;

  constructor(site: DevSite, hub: ReloadHub, events: DevServerEvents) {
    this.#site = site;
    this.#hub = hub;
    this.#events = events;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
        response.end(`${error instanceof Error ? error.message : String(error)}\n`);
      });
    });
  }

  /** Listens on loopback and resolves with the port. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#hub.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    if (!HOSTS.test(request.headers.host ?? '')) {
      sendText(response, 421, 'workswap dev answers to localhost only');
      return;
    }
    const at = url.indexOf('?');
    const path = at < 0 ? url : url.slice(0, at);
    if (path === DEV_PREFIX || path.startsWith(`${DEV_PREFIX}/`)) {
      await this.#answerDev(
        method,
        path.slice(DEV_PREFIX.length),
        new URLSearchParams(at < 0 ? '' : url.slice(at)),
        request,
        response,
      );
      return;
    }
    const { site } = this.#site.project;
    if (site !== undefined && (method === 'GET' || method === 'HEAD')) {
      const file = await staticFile(site, path);
      if (file !== undefined) {
        await sendFile(response, method, file);
        return;
      }
    }
    await this.#answerHandler(method, url, request, response);
  }

  async #answerHandler(method: string, url: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (body === undefined) {
      sendText(response, 413, `a request's body has at most ${REQUEST_BODY_BYTES_MAX} bytes`);
      return;
    }
    const headers = headersOf(request);
    await this.#answerCall({ method, path: url, headers, ...(body.length === 0 ? {} : { body }) }, response);
  }

  /** A message to the handler, of whoever the query says. */
  async #deliver(from: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (body === undefined || body.length > MESSAGE_BODY_BYTES_MAX) {
      sendText(response, 413, `a message has at most ${MESSAGE_BODY_BYTES_MAX} bytes`);
      return;
    }
    const id = randomBytes(SERVICE_MESSAGE_ID_BYTES);
    const message = { id, from, timeMs: Date.now(), followUps: FOLLOW_UPS_MAX, body };
    await this.#answerCall(deliveryRequest(message), response);
  }

  async #answerCall(call: CallRequest & { method: string }, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableEnded) gone.abort(new Error('the browser went away'));
    });
    let record: RequestRecord;
    try {
      record = await this.#site.run(call, gone.signal);
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      this.#events.buildFailed(error);
      send(
        response,
        500,
        { 'content-type': 'text/html; charset=utf-8', ...NO_STORE },
        withReload(buildErrorPage(error.message)),
      );
      return;
    }
    this.#events.request(record);
    const { outcome, priceBytes } = record.result;
    const timing = `fuel;desc="${outcome.fuel}", memory;desc="${outcome.memoryPagesPeak} pages", price;desc="${priceBytes} bytes"`;
    if (outcome.error !== undefined) {
      const html = withReload(await failurePage(this.#site.project, record));
      send(response, 500, { 'content-type': 'text/html; charset=utf-8', 'server-timing': timing, ...NO_STORE }, html);
      return;
    }
    const headers: Record<string, string | string[]> = { 'server-timing': timing, ...outcome.headers };
    // Several cookies stand in one header, with line breaks between them.
    if (outcome.headers['set-cookie'] !== undefined) headers['set-cookie'] = outcome.headers['set-cookie'].split('\n');
    const isHtml = (outcome.headers['content-type'] ?? '').startsWith('text/html') && outcome.body.length > 0;
    send(response, outcome.status, headers, isHtml ? withReload(new TextDecoder().decode(outcome.body)) : outcome.body);
  }

  async #answerDev(
    method: string,
    path: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const site = this.#site;
    const html = (body: string): void =>
      send(response, 200, { 'content-type': 'text/html; charset=utf-8', ...NO_STORE }, body);
    if (method === 'POST' && (path === '/state/clear' || path === '/deliver')) {
      if (request.headers['sec-fetch-site'] === 'cross-site') sendText(response, 403, 'the form is on another site');
      else if (path === '/deliver') await this.#deliver(query.get('from') ?? NOBODY, request, response);
      else {
        site.state.clear();
        send(response, 303, { location: `${DEV_PREFIX}/state` }, '');
      }
      return;
    }
    if (method !== 'GET') sendText(response, 405, 'method not allowed');
    else if (path === '/events') this.#hub.listen(response);
    else if (path === '/reload.js')
      send(response, 200, { 'content-type': 'text/javascript', ...NO_STORE }, RELOAD_SCRIPT);
    else if (path === '' || path === '/') html(requestsPage(site.records.newestFirst()));
    else if (path === '/state') html(statePage(site.state, query.get('path') ?? undefined));
    else if (path === '/profile') {
      const record = site.records.get(Number(query.get('id')));
      const profile = record === undefined ? undefined : await site.profile(record);
      if (record === undefined || profile === undefined) {
        sendText(response, 404, 'that request is forgotten, or its handler has changed since');
      } else html(profilePage(record, profile));
    } else sendText(response, 404, 'no such page of workswap dev');
  }
}

function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | string[]>,
  body: string | Uint8Array,
): void {
  try {
    response.writeHead(status, headers);
  } catch (error) {
    // A header that HTTP does not allow is the handler's mistake, and its author wants to know which.
    sendText(
      response,
      500,
      `the handler's answer is no HTTP: ${error instanceof Error ? error.message : String(error)}`,
    );
    return;
  }
  response.end(body);
}

/** A page gets the reload script, and is short; everything else goes out as it is read. */
async function sendFile(response: ServerResponse, method: string, { file, size, type }: StaticFile): Promise<void> {
  const headers = { 'content-type': type, ...NO_STORE };
  if (method === 'HEAD') send(response, 200, headers, '');
  else if (type.startsWith('text/html')) send(response, 200, headers, withReload(await readFile(file, 'utf8')));
  else {
    response.writeHead(200, { ...headers, 'content-length': size });
    // A browser that goes away in the middle is no failure.
    await pipeline(size === 0 ? [] : createReadStream(file, { end: size - 1 }), response).catch(() =>
      response.destroy(),
    );
  }
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...NO_STORE }).end(`${text}\n`);
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** The body, or undefined when it is too large. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // The rest is read and dropped, so that the browser hears why.
    if (length <= REQUEST_BODY_BYTES_MAX) chunks.push(chunk);
    else if (length > 16 * REQUEST_BODY_BYTES_MAX) break;
  }
  return length > REQUEST_BODY_BYTES_MAX ? undefined : Buffer.concat(chunks);
}

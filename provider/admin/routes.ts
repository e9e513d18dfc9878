import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { extname, join } from 'node:path';
import { peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats/cid';
import { z } from 'zod';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { historyCsv, PersistentScoreLedger } from '../ledger/index.ts';
import type { Provider } from '../provider.ts';
import { Hosts } from '../gateway/hosts.ts';
import {
  HttpError,
  isToken,
  OWN_PAGE_HEADERS,
  type HttpHandler,
  type HttpReply,
  type HttpRequest,
} from '../gateway/http/index.ts';
import { eventsReply } from './events.ts';
import type { Sampler } from './figures.ts';
import { ADMIN_LIMITS } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { isAuthorized, tokenCookie } from './token.ts';

export interface RoutesInit {
  provider: Provider;
  sampler: Sampler;
  metrics: Metrics;
  token: string;
  /** Of the address that the server listens at. */
  host: string;
  stopping: AbortSignal;
}

const PAGE = join(import.meta.dirname, 'page');
const UPLOT = join(createRequire(import.meta.url).resolve('uplot'), '..');

/** What the page is made of. Nothing else of the disk is ever served. */
const FILES: Record<string, string> = {
  '/': join(PAGE, 'index.html'),
  '/uplot.js': join(UPLOT, 'uPlot.esm.js'),
  '/uplot.css': join(UPLOT, 'uPlot.min.css'),
};
for (const name of ['admin.css', 'admin.js', 'charts.js', 'elements.js', 'mailboxes.js', 'services.js', 'tables.js'])
  FILES[`/${name}`] = join(PAGE, name);

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

const bytes = z.number().int().nonnegative();
const peerAction = z.strictObject({
  peer: z.string().max(128),
  override: z.union([z.enum(['blocked', 'unlimited']), z.strictObject({ limitBytes: bytes })]).nullable(),
});
const mailboxAction = z.strictObject({ peer: z.string().max(128) });
const pinAction = z.strictObject({ cid: z.string().max(256) });

type Route = (request: HttpRequest) => Promise<HttpReply> | HttpReply;

/** The admin server's routes. */
export function createRoutes(init: RoutesInit): HttpHandler {
  const { token, host } = init;
  const hosts = new Hosts([host, hostname()]);
  const open = openRoutes(init);
  const closed = { ...pageRoutes(), ...figureRoutes(init), ...actionRoutes(init) };

  async function answer(request: HttpRequest): Promise<HttpReply> {
    // A site elsewhere whose name was made to lead here must not read what is meant for this machine.
    if (hosts.siteOf(request.headers.host, request.local).kind !== 'main') {
      return text(421, 'This name is not served here; use the address that the provider printed.\n');
    }
    const [path = '', query] = request.target.split('?', 2);
    const name = `${request.method === 'HEAD' ? 'GET' : request.method} ${path}`;
    const route = open[name];
    if (route !== undefined) return route(request);
    if (name === 'GET /' && isToken(new URLSearchParams(query).get('token') ?? undefined, token)) {
      return { status: 303, headers: { location: '/', 'set-cookie': tokenCookie(token) } };
    }
    if (!isAuthorized(request.headers, token)) {
      return text(401, 'Open the page with the address that the provider printed: it ends in ?token=...\n');
    }
    return closed[name]?.(request) ?? text(404, 'There is nothing here.\n');
  }

  return async (request) => {
    const reply = await answer(request).catch(failure);
    return { ...reply, headers: { ...reply.headers, ...OWN_PAGE_HEADERS } };
  };
}

function openRoutes({ provider, metrics, stopping }: RoutesInit): Record<string, Route> {
  return {
    'GET /healthz': () => text(200, 'ok\n'),
    'GET /readyz': () =>
      stopping.aborted || provider.libp2p.status !== 'started' ? text(503, 'not ready\n') : text(200, 'ready\n'),
    'GET /metrics': async () => ({
      status: 200,
      headers: { 'content-type': metrics.contentType },
      body: await metrics.text(),
    }),
  };
}

function pageRoutes(): Record<string, Route> {
  const files = Object.entries(FILES).map(([path, file]): [string, Route] => [
    `GET ${path}`,
    async () => ({ status: 200, headers: { 'content-type': TYPES[extname(file)]! }, body: await readFile(file) }),
  ]);
  return { ...Object.fromEntries(files), 'GET /favicon.ico': () => ({ status: 204, headers: {} }) };
}

function figureRoutes({ provider, sampler, stopping }: RoutesInit): Record<string, Route> {
  return {
    'GET /api/figures': async () => json(200, { ...(await sampler.figures()), samples: sampler.samples }),
    'GET /api/events': (request) => {
      if (sampler.watchers >= ADMIN_LIMITS.watchersMax) return text(503, 'Too many pages watch already.\n');
      return eventsReply(request, sampler, stopping);
    },
    'GET /api/ledger.csv': async () => {
      const { scoreLedger } = provider;
      if (!(scoreLedger instanceof PersistentScoreLedger)) return text(404, 'This ledger keeps no history.\n');
      await scoreLedger.flush();
      return {
        status: 200,
        headers: {
          'content-type': 'text/csv; charset=utf-8',
          'content-disposition': 'attachment; filename="workswap-ledger.csv"',
        },
        body: encoded(historyCsv(scoreLedger.history())),
      };
    },
  };
}

function actionRoutes({ provider, sampler, stopping }: RoutesInit): Record<string, Route> {
  return {
    'POST /api/peer': async (request) => {
      const { peer, override } = peerAction.parse(await jsonBody(request));
      await provider.setOverride(parsePeer(peer), override ?? undefined);
      sampler.refresh();
      return json(200, { peer, override });
    },
    'POST /api/mailbox/close': async (request) => {
      const { peer } = mailboxAction.parse(await jsonBody(request));
      const closed = await provider.mailboxes.close(parsePeer(peer).toString());
      sampler.refresh();
      return json(200, { peer, ...closed });
    },
    'POST /api/tariff': async (request) => {
      const names = Object.keys(provider.tariff.rates) as (keyof typeof provider.tariff.rates)[];
      const shape = z.strictObject(
        Object.fromEntries(names.map((name) => [name, bytes])) as Record<(typeof names)[number], typeof bytes>,
      );
      await provider.setTariff(shape.parse(await jsonBody(request)));
      return json(200, { cid: provider.tariff.cid.toString(), rates: provider.tariff.rates });
    },
    'POST /api/pin': async (request) => {
      const { cid } = pinAction.parse(await jsonBody(request));
      const signal = AbortSignal.any([stopping, request.signal, AbortSignal.timeout(ADMIN_LIMITS.pinTimeoutMs)]);
      return json(200, { cid, ...(await provider.fetch(parseCid(cid), { signal })) });
    },
  };
}

async function jsonBody(request: HttpRequest): Promise<unknown> {
  // Forms of other sites can send neither this type nor, with the cookie's SameSite, the cookie.
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) {
    throw new HttpError(415, 'BAD_REQUEST', 'Actions are sent as application/json');
  }
  return JSON.parse(Buffer.from(await request.body(ADMIN_LIMITS.bodyBytesMax)).toString('utf8'));
}

async function* encoded(rows: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const row of rows) yield new TextEncoder().encode(row);
}

function text(status: number, body: string): HttpReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

function json(status: number, value: unknown): HttpReply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function failure(error: unknown): HttpReply {
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
    return json(400, { error: { code: 'BAD_REQUEST', message } });
  }
  if (!(error instanceof WorkswapError)) return json(500, { error: { code: 'INTERNAL', message: String(error) } });
  const status = error instanceof HttpError ? error.status : 409;
  return json(status, { error: { code: error.code, message: error.message } });
}

function parsePeer(text: string): ReturnType<typeof peerIdFromString> {
  try {
    return peerIdFromString(text);
  } catch {
    throw new WorkswapError('BAD_REQUEST', `${text} is not a peer id; it looks like 12D3Koo...`, { fault: 'consumer' });
  }
}

function parseCid(text: string): CID {
  try {
    return CID.parse(text.trim());
  } catch {
    throw new WorkswapError('BAD_REQUEST', `${text} is not a CID; it looks like bafy...`, { fault: 'consumer' });
  }
}

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { peerIdFromString } from '@libp2p/peer-id';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { setCookie } from 'hono/cookie';
import { streamSSE } from 'hono/streaming';
import { CID } from 'multiformats/cid';
import { z } from 'zod';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import { historyCsv, PersistentScoreLedger } from '../ledger/index.ts';
import type { Provider } from '../provider.ts';
import { figures, type Sampler } from './figures.ts';
import { ADMIN_LIMITS } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { isAuthorized, isToken, TOKEN_COOKIE } from './token.ts';

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
const FILES: Record<string, { path: string; type: string }> = {
  '/': { path: join(PAGE, 'index.html'), type: 'text/html; charset=utf-8' },
  '/admin.css': { path: join(PAGE, 'admin.css'), type: 'text/css; charset=utf-8' },
  '/admin.js': { path: join(PAGE, 'admin.js'), type: 'text/javascript; charset=utf-8' },
  '/uplot.js': { path: join(UPLOT, 'uPlot.esm.js'), type: 'text/javascript; charset=utf-8' },
  '/uplot.css': { path: join(UPLOT, 'uPlot.min.css'), type: 'text/css; charset=utf-8' },
};

const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const bytes = z.number().int().nonnegative();
const peerAction = z.strictObject({
  peer: z.string().max(128),
  override: z.union([z.enum(['blocked', 'unlimited']), z.strictObject({ limitBytes: bytes })]).nullable(),
});
const pinAction = z.strictObject({ cid: z.string().max(256) });

/** The admin server's routes, testable without a port. */
export function createRoutes({ provider, sampler, metrics, token, host, stopping }: RoutesInit): Hono {
  const app = new Hono();

  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.res.headers.set(name, value);
  });
  app.use(async (context, next) => {
    // A site elsewhere whose name was made to lead here must not read what is meant for this machine.
    if (isOwnHost(context.req.header('host'), host)) return next();
    return context.text('This name is not served here; use the address that the provider printed.\n', 421);
  });

  app.get('/healthz', (context) => context.text('ok\n'));
  app.get('/readyz', (context) =>
    stopping.aborted || provider.libp2p.status !== 'started'
      ? context.text('not ready\n', 503)
      : context.text('ready\n'),
  );
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );

  app.use(async (context, next) => {
    const given = context.req.query('token');
    if (context.req.method === 'GET' && context.req.path === '/' && isToken(given, token)) {
      setCookie(context, TOKEN_COOKIE, token, { httpOnly: true, sameSite: 'Strict', path: '/' });
      return context.redirect('/', 303);
    }
    if (isAuthorized(context, token)) return next();
    return context.text('Open the page with the address that the provider printed: it ends in ?token=...\n', 401);
  });
  app.use('/api/*', bodyLimit({ maxSize: ADMIN_LIMITS.bodyBytesMax }));
  app.use('/api/*', async (context, next) => {
    // Forms of other sites can send neither this type nor, with the cookie's SameSite, the cookie.
    const isJson = (context.req.header('content-type') ?? '').startsWith('application/json');
    if (context.req.method === 'GET' || isJson) return next();
    return context.json({ error: { code: 'BAD_REQUEST', message: 'Actions are sent as application/json' } }, 415);
  });

  for (const [path, { path: file, type }] of Object.entries(FILES)) {
    app.get(path, async (context) => context.body(await readFile(file), 200, { 'content-type': type }));
  }
  app.get('/favicon.ico', (context) => context.body(null, 204));

  app.get('/api/figures', (context) =>
    context.json({ ...figures(provider), ...sampler.accounts, samples: sampler.samples }),
  );
  app.get('/api/events', (context) => {
    if (sampler.watchers >= ADMIN_LIMITS.watchersMax) return context.text('Too many pages watch already.\n', 503);
    return streamSSE(context, async (stream) => {
      const ended = Promise.withResolvers<void>();
      const send = (event: string, data: unknown): void => {
        void stream.writeSSE({ event, data: JSON.stringify(data) }).catch(() => ended.resolve());
      };
      const tell = (): void => send('figures', { ...figures(provider), ...sampler.accounts });
      const quiet = sampler.onSample((sample) => {
        tell();
        send('sample', sample);
      });
      stopping.addEventListener('abort', () => ended.resolve(), { once: true });
      stream.onAbort(() => ended.resolve());
      send('samples', sampler.samples);
      tell();
      await ended.promise;
      quiet();
    });
  });

  app.post('/api/peer', async (context) => {
    const { peer, override } = peerAction.parse(await context.req.json());
    await provider.setOverride(parsePeer(peer), override ?? undefined);
    sampler.refreshAccounts();
    return context.json({ peer, override });
  });
  app.post('/api/tariff', async (context) => {
    const names = Object.keys(provider.tariff.rates) as (keyof typeof provider.tariff.rates)[];
    const shape = z.strictObject(
      Object.fromEntries(names.map((name) => [name, bytes])) as Record<(typeof names)[number], typeof bytes>,
    );
    await provider.setTariff(shape.parse(await context.req.json()));
    return context.json({ cid: provider.tariff.cid.toString(), rates: provider.tariff.rates });
  });
  app.post('/api/pin', async (context) => {
    const { cid } = pinAction.parse(await context.req.json());
    const signal = AbortSignal.any([stopping, context.req.raw.signal, AbortSignal.timeout(ADMIN_LIMITS.pinTimeoutMs)]);
    return context.json({ cid, ...(await provider.fetch(parseCid(cid), { signal })) });
  });
  app.get('/api/ledger.csv', async (context) => {
    const { scoreLedger } = provider;
    if (!(scoreLedger instanceof PersistentScoreLedger)) return context.text('This ledger keeps no history.\n', 404);
    await scoreLedger.flush();
    const rows = historyCsv(scoreLedger.history());
    const csv = new ReadableStream<Uint8Array>({
      pull(controller) {
        const { done, value } = rows.next();
        if (done === true) controller.close();
        else controller.enqueue(new TextEncoder().encode(value));
      },
    });
    return context.body(csv, 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="workswap-ledger.csv"',
    });
  });

  app.notFound((context) => context.text('There is nothing here.\n', 404));
  app.onError((error, context) => {
    if (error instanceof HTTPException) {
      const message = error.status === 413 ? 'The body is too large' : error.message;
      return context.json({ error: { code: 'BAD_REQUEST', message } }, error.status);
    }
    if (error instanceof z.ZodError || error instanceof SyntaxError) {
      const message = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
      return context.json({ error: { code: 'BAD_REQUEST', message } }, 400);
    }
    const known = error instanceof WorkswapError;
    return context.json(
      { error: { code: known ? error.code : 'INTERNAL', message: error.message } },
      known ? 409 : 500,
    );
  });
  return app;
}

/** localhost and its addresses, and the name or address that the operator chose to listen at. */
function isOwnHost(header: string | undefined, own: string): boolean {
  const name = (header ?? '').replace(/:\d+$/, '').toLowerCase();
  return [own.toLowerCase(), 'localhost', '127.0.0.1', '[::1]'].includes(name) || own === '0.0.0.0' || own === '[::]';
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

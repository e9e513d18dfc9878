import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import type { Provider } from '../provider.ts';
import { Sampler } from './figures.ts';
import { ADMIN_LIMITS } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { createRoutes } from './routes.ts';
import { adminToken } from './token.ts';

export interface AdminInit {
  provider: Provider;
  /** HOST:PORT; port 0 takes any that is free. */
  listen: string;
  /** Where the token is kept; without it there is a new one for each start. */
  dataDir?: string;
}

export interface Admin {
  /** The page, with the token that opens it. */
  url: string;
  /** Without the token. */
  origin: string;
  token: string;
  stop(): Promise<void>;
}

export class AdminListenError extends WorkswapError {
  constructor(listen: string, reason: string) {
    super(
      'CANNOT_LISTEN',
      `Cannot open the admin page at ${listen}: ${reason}. Choose another address with --admin, for example --admin 127.0.0.1:0.`,
      { fault: 'provider' },
    );
  }
}

const ADDRESS = /^(\[[0-9a-f:]+\]|[^:[\]]+):(\d{1,5})$/i;

/** Serves the admin page, its figures and actions, metrics and health. @throws AdminListenError */
export async function startAdmin({ provider, listen, dataDir }: AdminInit): Promise<Admin> {
  const [, host, port] = ADDRESS.exec(listen) ?? [];
  if (host === undefined || Number(port) > 65_535) throw new AdminListenError(listen, 'it is not HOST:PORT');
  const token = await adminToken(dataDir);
  const sampler = new Sampler(provider);
  const metrics = createMetrics(provider, sampler);
  const stopping = new AbortController();
  const app = createRoutes({ provider, sampler, metrics, token, host, stopping: stopping.signal });
  const server = createServer(
    { headersTimeout: ADMIN_LIMITS.headersTimeoutMs, requestTimeout: ADMIN_LIMITS.requestTimeoutMs },
    getRequestListener(app.fetch),
  );
  await listening(server, listen, host.replace(/^\[|\]$/g, ''), Number(port));
  sampler.start();
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/?token=${token}`,
    origin,
    token,
    async stop() {
      sampler.stop();
      metrics.stop();
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listening(server: Server, listen: string, host: string, port: number): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new AdminListenError(listen, (error as Error).message);
  }
}

import { WorkswapError } from '../../sdk/protocol/index.ts';
import { createListener, ListenError, parseListenAddress, startServer } from '../gateway/http/index.ts';
import type { Gateway } from '../gateway/index.ts';
import type { Provider } from '../provider.ts';
import { Sampler } from './figures.ts';
import { ADMIN_SERVER_LIMITS } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { createRoutes } from './routes.ts';
import { adminToken } from './token.ts';

export interface AdminInit {
  provider: Provider;
  /** Of the same process, if there is one. */
  gateway?: Gateway | undefined;
  /** HOST:PORT; port 0 takes any that is free. */
  listen: string;
  /** Where the token is kept; without it there is a new one for each start. */
  dataDir?: string | undefined;
  /** Where errors go that are nobody's answer. */
  onError?: (error: unknown) => void;
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

/** Serves the admin page, its figures and actions, metrics and health. @throws AdminListenError */
export async function startAdmin({
  provider,
  gateway,
  listen,
  dataDir,
  onError = () => {},
}: AdminInit): Promise<Admin> {
  const address = parseListenAddress(listen);
  if (address === undefined) throw new AdminListenError(listen, 'it is not HOST:PORT');
  const token = await adminToken(dataDir);
  const sampler = new Sampler(provider, gateway);
  const metrics = createMetrics(provider, sampler);
  const stopping = new AbortController();
  const { host } = address;
  const routes = createRoutes({ provider, sampler, metrics, token, host, stopping: stopping.signal });
  const { listener, close } = createListener(routes, { ...ADMIN_SERVER_LIMITS, onError });
  const server = await startServer(address, listener, ADMIN_SERVER_LIMITS).catch((error: unknown) => {
    close();
    metrics.stop();
    throw error instanceof ListenError ? new AdminListenError(listen, error.reason) : error;
  });
  sampler.start();
  return {
    url: `${server.url}/?token=${token}`,
    origin: server.url,
    token,
    async stop() {
      sampler.stop();
      metrics.stop();
      stopping.abort();
      await server.stop({ graceMs: 0 });
      close();
    },
  };
}
